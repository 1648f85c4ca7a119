"""Writes one object: inserts it or updates its document, and makes the object agree with it."""

from __future__ import annotations

from functools import partial
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession

from .._core.bson_codec import encode_bson
from .._core.driver_errors import translate
from .._core.errors import OperationFailed
from .._core.model.absorb import absorb_insertion, absorb_modification
from .._core.model.conflicts import not_found, stale
from .._core.model.document import DocumentModel
from .._core.model.identity import id_filter
from .._core.model.write_attempt import Insertion, Modification, WriteAttempt, WritePlan
from .._core.model.write_plan import rebased
from .._core.model.write_statements import find_and_modify, insertion
from .._core.transactions.journal import absorb
from .._core.write_replies import not_confirmed, write_errors
from ..connection.driver_types import MongoCollection
from ..operations.attempts import forget_settled, recorded_attempt
from ..operations.target import Target
from ..operations.write_command import WriteCommand, raise_refusal, raise_unconfirmed, send
from .batched_calls import Batching, batched_calls
from .batched_updates import MAX_SINGLE, MIN_BATCH, Updated, can_batch, update_batch

# The attempts at an update whose parents other writers create and delete.
_MAX_ATTEMPTS = 10


async def write(
    target: Target, document: DocumentModel, plan: WritePlan, verb: str = "persist"
) -> bool:
    """Store a new object, or update its document, and make it agree with what is stored.

    Parameters:
        target: Where the write goes.
        document: The object.
        plan: What to write.
        verb: The operation of the caller, for errors and the trace.

    Returns:
        True: something was written.

    Raises:
        DocumentNotFound: There is no document to update.
        StaleDocument: It has another revision than the object.
    """
    action = f"{verb} {type(document).__name__}"
    if isinstance(plan, Insertion):
        await _insert(target, document, plan, action)
    else:
        await _update(target, document, plan, action)
    return True


async def _insert(target: Target, document: DocumentModel, plan: Insertion, action: str) -> None:
    async with target.call(action):
        with recorded_attempt(target, document, plan) as attempt:
            command = WriteCommand(target.collection, insertion(target.collection.name, plan))
            attempt.command = command
            reply = await send(command, target.session)
            if write_errors(reply):
                attempt.settle()
                raise_refusal(reply)
    absorb(document, partial(absorb_insertion, document, plan))
    attempt.settle()
    raise_unconfirmed(reply, action)


async def _update(target: Target, document: DocumentModel, plan: Modification, action: str) -> None:
    for _ in range(_MAX_ATTEMPTS):
        stored: dict[str, Any] | None = None
        async with target.call(action):
            with recorded_attempt(target, document, plan) as attempt:
                if target.session is None:
                    updated = await batched_calls(_UPDATES, target.collection)(attempt)
                else:
                    updated = await _find_and_modify(target.collection, attempt, target.session)
            if updated.raw is None and (plan.revision or plan.parents):
                key = id_filter(plan.id)
                stored = await target.primary.find_one(key, session=target.session)
        if updated.raw is not None:
            absorb(document, partial(absorb_modification, document, plan, updated.raw))
            attempt.settle()
            if updated.failure is not None:
                raise translate(updated.failure, action) from updated.failure
            return
        attempt.settle()
        forget_settled(document)
        plan = _rebased(document, plan, stored)
    raise OperationFailed(
        f"{action}: other writers keep deleting what the update changes a part of",
        hint="reload() the object and make the change again",
    )


def _rebased(
    document: DocumentModel, plan: Modification, stored: dict[str, Any] | None
) -> Modification:
    """Return the update for a document that did not meet the conditions of the first one."""
    if stored is None:
        raise not_found(document)
    if any(stored.get(name) != value for name, value in plan.revision.items()):
        raise stale(type(document), plan.id, plan.revision, stored)
    return rebased(plan, stored)


async def _find_and_modify(
    collection: MongoCollection, attempt: WriteAttempt, session: AsyncClientSession | None = None
) -> Updated:
    plan: Any = attempt.plan
    command = WriteCommand(collection, find_and_modify(collection.name, plan))
    attempt.command = command
    reply = await send(command, session)
    document = reply["value"]
    # To decode and encode it takes less time than the driver's objects of raw documents.
    return Updated(None if document is None else encode_bson(document), not_confirmed(reply))


_UPDATES: Batching[WriteAttempt, Updated] = Batching(
    _find_and_modify, update_batch, can_batch, max_single=MAX_SINGLE, min_batch=MIN_BATCH
)
