"""The write of one object: sent until its outcome is known, and absorbed."""

from __future__ import annotations

from functools import partial
from typing import Any

from .._core.bson_codec import encode_bson
from .._core.driver_errors import translate
from .._core.errors import OperationFailed
from .._core.model.absorb import absorb_insertion, absorb_modification
from .._core.model.conflicts import not_found, stale
from .._core.model.document import DocumentModel
from .._core.model.identity import id_filter
from .._core.model.write_plan import Insertion, Modification, Plan, rebased
from .._core.model.write_statements import find_and_modify, insertion
from .._core.transactions.journal import absorb
from .._core.write_replies import not_confirmed, write_errors
from ..connection.driver_types import MongoCollection
from ..operations.target import Target
from ..operations.write_attempt import WriteAttempt, forget_settled, recorded_attempt, send_once
from ..operations.write_command import WriteCommand, raise_refusal, raise_unconfirmed, send
from .batched_updates import Updated, batched_updates_of

# An update whose parents come and go is made anew so many times.
_TRIES = 10


async def write(target: Target, document: DocumentModel, plan: Plan, verb: str = "persist") -> bool:
    """Store a new object, or update its document, and make it agree with what is stored.

    Parameters:
        target: Where it goes.
        document: The object.
        plan: What to send.
        verb: What the caller does, for errors and the trace.

    Returns:
        True: something was written.

    Raises:
        DocumentNotFound: There is no document to update.
        StaleDocument: It has another revision than the object.
    """
    if isinstance(plan, Insertion):
        await _insert(target, document, plan, f"{verb} {type(document).__name__}")
    else:
        await _modify(target, document, plan)
    return True


async def _insert(target: Target, document: DocumentModel, plan: Insertion, action: str) -> None:
    async with target.call(action):
        with recorded_attempt(target, document, plan) as attempt:
            body = insertion(target.collection.name, plan)
            reply = await send_once(target, body, attempt)
            if write_errors(reply):
                attempt.settle()
                raise_refusal(reply)
    absorb(document, partial(absorb_insertion, document, plan))
    attempt.settle()
    raise_unconfirmed(reply, action)


async def _modify(target: Target, document: DocumentModel, plan: Modification) -> None:
    action = f"persist {type(document).__name__}"
    for _ in range(_TRIES):
        there: dict[str, Any] | None = None
        async with target.call(action):
            with recorded_attempt(target, document, plan) as attempt:
                updated = await _update(target, attempt)
            if updated.raw is None and (plan.revision or plan.parents):
                key = id_filter(plan.id)
                there = await target.primary.find_one(key, session=target.session)
        if updated.raw is not None:
            absorb(document, partial(absorb_modification, document, plan, updated.raw))
            attempt.settle()
            if updated.failure is not None:
                raise translate(updated.failure, action) from updated.failure
            return
        attempt.settle()
        forget_settled(document)
        plan = _anew(document, plan, there)
    raise OperationFailed(
        f"{action}: what the update changes a part of is taken away again and again",
        hint="reload() the object and make the change anew",
    )


def _anew(
    document: DocumentModel, plan: Modification, there: dict[str, Any] | None
) -> Modification:
    """Return the update for a document that was not as the update needed it."""
    if there is None:
        raise not_found(document)
    if any(there.get(name) != value for name, value in plan.revision.items()):
        raise stale(type(document), plan.id, plan.revision, there)
    return rebased(plan, there)


async def _update(target: Target, attempt: WriteAttempt) -> Updated:
    if target.session is None:
        return await batched_updates_of(target.collection, _find_and_modify)(attempt)
    plan: Any = attempt.plan
    body = find_and_modify(target.collection.name, plan)
    return _updated(await send_once(target, body, attempt))


async def _find_and_modify(collection: MongoCollection, attempt: WriteAttempt) -> Updated:
    plan: Any = attempt.plan
    attempt.command = WriteCommand(collection, find_and_modify(collection.name, plan))
    return _updated(await send(attempt.command))


def _updated(reply: dict[str, Any]) -> Updated:
    found = reply["value"]
    # Decoding and encoding it anew takes less than the driver's objects of raw documents.
    return Updated(None if found is None else encode_bson(found), not_confirmed(reply))
