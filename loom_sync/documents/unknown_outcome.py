# Generated from loom_async/documents/unknown_outcome.py by `nox -s sync`: edit that file.
"""Settles earlier writes of an object whose outcome is unknown, by sending them again."""

from __future__ import annotations

from typing import Any

from pymongo.errors import OperationFailure

from loom_async._core.bson_codec import encode_bson
from loom_async._core.errors import OutcomeUnknown
from loom_async._core.model.absorb import absorb_insertion, absorb_modification
from loom_async._core.model.document import (
    DocumentModel,
    attempts_of,
    has_unknown,
    set_attempts,
    set_baseline,
)
from loom_async._core.model.identity import id_filter
from loom_async._core.model.write_attempt import Deletion, Insertion, Upsert, WriteAttempt
from loom_async._core.write_replies import write_errors

from ..operations.attempts import forget_settled
from ..operations.target import Target
from ..operations.write_command import WriteCommand, send

# Why an outcome stays unknown.
_FORGOTTEN = "and the server no longer knows"
_IN_TRANSACTION = "and inside a transaction the server cannot be asked"


def settle(target: Target, document: DocumentModel) -> bool:
    """Find out the outcomes of earlier writes of an object, and make it agree with them.

    A write whose outcome is unknown is sent again under its own number: it happens now, unless it
    has happened before.

    Returns:
        True if one of them has happened.

    Raises:
        OutcomeUnknown: The server no longer knows an outcome.
    """
    has_happened = False
    for attempt in attempts_of(document):
        if not attempt.is_unknown:
            has_happened |= attempt.is_unreported
            continue
        if target.session is not None:
            raise _unknown(document, _IN_TRANSACTION, "persist() it before the block")
        command = attempt.command
        client = target.collection.database.client
        if not (isinstance(command, WriteCommand) and command.can_be_sent_again(client)):
            raise _unknown(document, _FORGOTTEN, "reload() it, then change it again")
        with target.call(f"persist {type(document).__name__}"):
            try:
                reply = send(command, None)
            except OperationFailure as error:
                if attempt.is_unknown:
                    raise
                reply = {"writeErrors": [{"index": 0, "errmsg": str(error)}]}
            has_happened |= _absorb(target, document, attempt, reply)
            attempt.settle()
        forget_settled(document)
    if not has_unknown(document):
        set_attempts(document, ())
    return has_happened


def _absorb(
    target: Target, document: DocumentModel, attempt: WriteAttempt, reply: dict[str, Any]
) -> bool:
    """Make an object agree with an earlier write; return whether that has happened."""
    plan = attempt.plan
    if plan is None or write_errors(reply):
        return False  # the next write sends what the object holds now, and raises its own error
    if isinstance(plan, Deletion):
        set_baseline(document, None)
        return bool(reply["n"])
    if isinstance(plan, Insertion):
        absorb_insertion(document, plan)
        return True
    if isinstance(plan, Upsert):
        found = target.primary.find_one(plan.query)
        if found is not None:
            absorb_modification(document, plan.change, encode_bson(found))
        return found is not None
    found = reply.get("value")
    if "value" not in reply:  # the reply to an update that was part of a batch
        found = target.primary.find_one(id_filter(plan.id))
    if found is not None:
        absorb_modification(document, plan, encode_bson(found))
    return found is not None


def _unknown(document: DocumentModel, why: str, hint: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"an earlier write of {type(document).__name__} {document.id!r} may have reached the "
        f"database, {why}",
        hint=hint,
    )
