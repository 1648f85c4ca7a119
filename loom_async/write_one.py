"""The write of one object: sent until its outcome is known, and absorbed."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import Any

from pymongo.errors import OperationFailure

from ._core.driver_errors import translate
from ._core.errors import DocumentNotFound, OperationFailed, OutcomeUnknown
from ._core.model.absorb import absorb_insertion, absorb_modification
from ._core.model.document import (
    UNREPORTED,
    DocumentModel,
    attempts_of,
    has_unknown,
    set_attempts,
    set_baseline,
)
from ._core.model.identity import id_filter
from ._core.model.plan import Deletion, Insertion, Modification, Plan, rebased
from ._core.model.revisions import stale
from ._core.model.statements import find_and_modify, insertion
from ._core.model.values import encode_bson
from ._core.transaction import absorb
from ._core.write_replies import not_confirmed, statement_error, write_errors
from .clients import MongoCollection
from .joined_updates import Updated, joining
from .targets import Target
from .write_commands import SentWrite, WriteCommand, send, send_in_transaction

# An update whose parents come and go is made anew so many times.
_TRIES = 10
# Why the outcome of an earlier write stays unknown.
_FORGOTTEN = "and the server cannot tell any more"
_IN_TRANSACTION = "and inside a transaction the server cannot be asked"


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
    async with target.turn(action):
        with noted(target, document, plan) as attempt:
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
        async with target.turn(action):
            with noted(target, document, plan) as attempt:
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
        forget_known(document)
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


async def _update(target: Target, attempt: SentWrite) -> Updated:
    if target.session is None:
        return await joining(target.collection, _find_and_modify)(attempt)
    plan: Any = attempt.plan
    body = find_and_modify(target.collection.name, plan)
    return _updated(await send_once(target, body, attempt))


async def _find_and_modify(collection: MongoCollection, attempt: SentWrite) -> Updated:
    plan: Any = attempt.plan
    attempt.command = WriteCommand(collection, find_and_modify(collection.name, plan))
    return _updated(await send(attempt.command))


def _updated(reply: dict[str, Any]) -> Updated:
    found = reply["value"]
    # Decoding and encoding it anew takes less than the driver's objects of raw documents.
    return Updated(None if found is None else encode_bson(found), not_confirmed(reply))


async def send_once(target: Target, body: dict[str, Any], attempt: SentWrite) -> dict[str, Any]:
    """Send a write command, in its transaction if it has one, and return the reply.

    Parameters:
        target: Where it goes.
        body: The command, without its write concern.
        attempt: What knows the command, so that its outcome can be asked for later.
    """
    command = WriteCommand(target.collection, body)
    if target.session is not None:
        return await send_in_transaction(command, target.session)
    attempt.command = command
    return await send(command)


@contextmanager
def noted(target: Target, document: DocumentModel, plan: Plan | Deletion) -> Generator[SentWrite]:
    """Give the attempt of a write, which the object remembers while its outcome is unknown."""
    attempt = SentWrite(plan)
    if target.session is not None:  # of which the transaction as a whole has an outcome
        yield attempt
        return
    set_attempts(document, (*attempts_of(document), attempt))
    try:
        yield attempt
    except BaseException:
        forget_known(document)
        raise


def forget_known(document: DocumentModel) -> None:
    """Have an object forget the attempts whose outcome is known by now."""
    kept = (a for a in attempts_of(document) if a.is_unknown or a is UNREPORTED)
    set_attempts(document, tuple(kept))


async def settle(target: Target, document: DocumentModel) -> bool:
    """Find out what has become of earlier writes of an object, and make it agree with that.

    A write whose outcome is unknown is sent again under its own number: it happens now, unless it
    has happened before.

    Returns:
        True if one of them has happened.

    Raises:
        OutcomeUnknown: The server cannot tell any more.
    """
    has_happened = False
    for attempt in attempts_of(document):
        client = target.collection.database.client
        if not attempt.is_unknown:
            has_happened |= attempt is UNREPORTED
            continue
        if target.session is not None:
            raise _unknown(document, _IN_TRANSACTION, "persist() it before the block")
        if not (
            isinstance(attempt, SentWrite)
            and attempt.command is not None
            and attempt.command.can_be_sent_again(client)
        ):
            raise _unknown(document, _FORGOTTEN, "reload() it, then change it anew")
        async with target.turn(f"persist {type(document).__name__}"):
            try:
                reply = await send(attempt.command)
            except OperationFailure as error:
                if attempt.is_unknown:
                    raise
                reply = {"writeErrors": [{"index": 0, "errmsg": str(error)}]}
            has_happened |= await _absorb_late(target, document, attempt.plan, reply)
            attempt.settle()
        forget_known(document)
    if not has_unknown(document):
        set_attempts(document, ())
    return has_happened


async def _absorb_late(
    target: Target, document: DocumentModel, plan: Plan | Deletion, reply: dict[str, Any]
) -> bool:
    if write_errors(reply):
        return False  # what the object holds now is planned anew, and has its own error if any
    if isinstance(plan, Deletion):
        set_baseline(document, None)
        return bool(reply["n"])
    if isinstance(plan, Insertion):
        absorb_insertion(document, plan)
        return True
    found = reply.get("value")
    if "value" not in reply:  # of an update that was joined with others
        found = await target.primary.find_one(id_filter(plan.id))
    if found is not None:
        absorb_modification(document, plan, encode_bson(found))
    return found is not None


def raise_refusal(reply: dict[str, Any]) -> None:
    """Raise the driver's error for a command of one statement that the server has refused."""
    errors = write_errors(reply)
    if errors:
        raise statement_error(errors[0])


def raise_unconfirmed(reply: dict[str, Any], action: str) -> None:
    """Raise the error for a write that was made, and that too few members confirm."""
    failure = not_confirmed(reply)
    if failure is not None:
        raise translate(failure, action) from failure


def _unknown(document: DocumentModel, why: str, hint: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"an earlier write of {type(document).__name__} {document.id!r} may have reached the "
        f"database, {why}",
        hint=hint,
    )


def not_found(document: DocumentModel) -> DocumentNotFound:
    """Return the error for an object whose document is gone."""
    return DocumentNotFound(
        f"{type(document).__name__} {document.id!r} is not in its collection",
        id=document.id,
        hint="it has been deleted; to store it again, persist a model_copy without its past: "
        "Model(**document.model_dump())",
    )
