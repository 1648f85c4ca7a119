# Generated from loom_async/documents/write_one.py by `nox -s sync`: edit that file.
"""Writes one object: inserts it or updates its document, and makes the object agree with it."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar

from pymongo.synchronous.client_session import ClientSession

from loom_async._core.bson_codec import encode_bson
from loom_async._core.driver_errors import translate
from loom_async._core.errors import OperationFailed
from loom_async._core.model.absorb import absorb_insertion, absorb_modification
from loom_async._core.model.document import DocumentModel
from loom_async._core.model.identity import id_filter
from loom_async._core.model.rebasing import raise_if_type_changed, rebased, unconditional
from loom_async._core.model.write_attempt import Insertion, Modification, WriteAttempt, WritePlan
from loom_async._core.model.write_statements import find_and_modify, insertion
from loom_async._core.server_codes import TYPE_CONFLICTS
from loom_async._core.transactions.journal import absorb
from loom_async._core.write_replies import not_confirmed, write_errors

from ..connection.driver_types import MongoCollection
from ..operations.attempts import forget_settled, recorded_attempt
from ..operations.target import Target
from ..operations.write_command import WriteCommand, raise_refusal, raise_unconfirmed, send
from .batched_calls import Batching, batched_calls
from .batched_updates import MAX_SINGLE, MIN_BATCH, Updated, can_batch, update_batch

# The attempts at an update of what other writers change at the same time. Each time that one does
# not apply, another writer's has: as many as that may write to one document at once.
_MAX_ATTEMPTS = 1_000

P = TypeVar("P")


def write(target: Target, document: DocumentModel, plan: WritePlan, verb: str = "persist") -> bool:
    """Store a new object, or update its document, and make it agree with what is stored.

    Parameters:
        target: Where the write goes.
        document: The object.
        plan: What to write.
        verb: The operation of the caller, for errors and the trace.

    Returns:
        True if something was written; another writer may have made the same edits.

    Raises:
        DocumentNotFound: There is no document to update.
        StaleDocument: It has another revision than the object.
        OperationFailed: Another writer has replaced what the update changes a part of.
    """
    action = f"{verb} {type(document).__name__}"
    plan = sendable(target, plan)
    if isinstance(plan, Modification):
        return _update(target, document, plan, action)
    _insert(target, document, plan, action)
    return True


def is_encrypted(target: Target) -> bool:
    """Say whether the driver encrypts what it sends."""
    return target.collection.database.client.options.auto_encryption_opts is not None


def sendable(target: Target, plan: P) -> P | Modification:
    """Return a plan as the driver can send it: it encrypts no array that is part of a condition."""
    if isinstance(plan, Modification) and is_encrypted(target):
        return unconditional(plan)
    return plan


def _insert(target: Target, document: DocumentModel, plan: Insertion, action: str) -> None:
    with target.call(action), recorded_attempt(target, document, plan) as attempt:
        command = WriteCommand(target.collection, insertion(target.collection.name, plan))
        attempt.command = command
        reply = send(command, target.session)
        if write_errors(reply):
            attempt.settle()
            raise_refusal(reply)
    absorb(document, partial(absorb_insertion, document, plan))
    attempt.settle()
    raise_unconfirmed(reply, action)


def _update(target: Target, document: DocumentModel, plan: Modification, action: str) -> bool:
    first: Modification = plan
    for _ in range(_MAX_ATTEMPTS):
        stored: dict[str, Any] | None = None
        try:
            with target.call(action):
                with recorded_attempt(target, document, plan) as attempt:
                    updated = _send_update(target, attempt, is_first=plan is first)
                if updated.raw is None and (plan.revision or plan.condition):
                    stored = _read(target, plan)
        except OperationFailed as error:
            if error.code in TYPE_CONFLICTS and target.session is None:
                _raise_type_conflict(target, plan, action, error)
            raise
        if updated.raw is not None:
            absorb(document, partial(absorb_modification, document, plan, updated.raw))
            attempt.settle()
            if updated.failure is not None:
                raise translate(updated.failure, action) from updated.failure
            return True
        attempt.settle()
        forget_settled(document)
        following = rebased(document, first, stored)
        if following is None:
            assert stored is not None, "without a document, DocumentNotFound is raised"
            raw = encode_bson(stored)
            absorb(document, partial(absorb_modification, document, first, raw))
            return False
        plan = following
    raise OperationFailed(
        f"{action}: other writers keep changing what the update changes a part of",
        hint="reload() the object and make the change again",
    )


def _send_update(target: Target, attempt: WriteAttempt, *, is_first: bool) -> Updated:
    # An update that is made again competes with others, and each needs to know at once who won.
    if target.session is None and is_first:
        return batched_calls(_UPDATES, target.collection)(attempt)
    return _find_and_modify(target.collection, attempt, target.session)


def _read(target: Target, plan: Modification) -> dict[str, Any] | None:
    return target.primary.find_one(id_filter(plan.id), session=target.session)


def _raise_type_conflict(
    target: Target, plan: Modification, action: str, error: OperationFailed
) -> None:
    """Raise a clear error if an update was refused because of what another writer has stored."""
    with target.call(action):
        stored = _read(target, plan)
    if stored is not None:
        try:
            for edit in plan.edits:
                raise_if_type_changed(edit, stored)
        except OperationFailed as conflict:
            raise conflict from error


def _find_and_modify(
    collection: MongoCollection, attempt: WriteAttempt, session: ClientSession | None = None
) -> Updated:
    plan: Any = attempt.plan
    command = WriteCommand(collection, find_and_modify(collection.name, plan))
    attempt.command = command
    reply = send(command, session)
    document = reply["value"]
    # To decode and encode it takes less time than the driver's objects of raw documents.
    return Updated(None if document is None else encode_bson(document), not_confirmed(reply))


_UPDATES: Batching[WriteAttempt, Updated] = Batching(
    _find_and_modify, update_batch, can_batch, max_single=MAX_SINGLE, min_batch=MIN_BATCH
)
