"""One document: persist, insert, reload and delete it, and load it by its id."""

from __future__ import annotations

from typing import Any, TypeVar

from .. import _concurrency
from .._core import context
from .._core.errors import InvalidDocument, OutcomeUnknown
from .._core.model.absorb import absorb_document
from .._core.model.append_only import refuse_change
from .._core.model.conflicts import not_found, stale
from .._core.model.document import (
    DocumentModel,
    attempts_of,
    set_attempts,
    set_baseline,
    stores_new,
)
from .._core.model.hydration import hydrator
from .._core.model.identity import id_filter, parse_id, stored_id
from .._core.model.revisions import revision_condition
from .._core.model.write_attempt import Deletion
from .._core.model.write_plan import is_recorded, plan_insert, plan_persist
from .._core.model.write_statements import deletion
from ..operations.attempts import finish, forget_settled, recorded_attempt
from ..operations.target import Target, target_of
from ..operations.write_command import WriteCommand, raise_refusal, raise_unconfirmed, send
from . import hooks
from .find_by_id import load_by_id
from .hooks import run_before
from .join_transaction import join_transaction
from .unknown_outcome import settle
from .write_one import write

D = TypeVar("D", bound=DocumentModel)


async def persist(document: DocumentModel) -> bool:
    """Insert a new document, or update what changed; see `PersistableBase.persist`."""
    # Checked here: two coroutines take a noticeable part of the time of a save without hooks.
    if hooks.has(type(document), "before_persist"):
        await run_before("before_persist", document)
    async with _concurrency.ObjectLock(document) as lock:
        await join_transaction(lock, document)
        is_written = bool(attempts_of(document)) and await _settle(lock, document)
        plan = None if is_written and is_recorded(document) else plan_persist(document)
        if plan is not None:
            target = await target_of(type(document))
            is_written = await finish(lock, target, write(target, document, plan), (document,))
    if is_written and hooks.has(type(document), "after_persist"):
        await hooks.run("after_persist", (document,))
    return is_written


async def insert(document: DocumentModel) -> bool:
    """Store a new document; see `PersistableBase.insert`."""
    await run_before("before_persist", document)
    async with _concurrency.ObjectLock(document) as lock:
        await join_transaction(lock, document)
        # If an earlier call whose reply was lost has stored it, only later edits are left to store.
        was_new = stores_new(document)
        if attempts_of(document) and await _settle(lock, document) and was_new:
            plan = None if is_recorded(document) else plan_persist(document)
        else:
            plan = plan_insert(document)
        if plan is not None:
            target = await target_of(type(document))
            await finish(lock, target, write(target, document, plan, "insert"), (document,))
    await hooks.run("after_persist", (document,))
    return True


async def reload(document: D) -> D:
    """Make an object hold what the database has; see `PersistableBase.reload`."""
    async with _concurrency.ObjectLock(document) as lock:
        await join_transaction(lock, document)
        await _settle_if_known(lock, document)
        target = await target_of(type(document))
        async with target.call(f"reload {type(document).__name__}"):
            key = id_filter(stored_id(document))
            found = await target.primary.find_one(key, session=target.session)
        if found is None:
            set_attempts(document, ())
            raise not_found(document)
        _check_class(document, found)
        absorb_document(document, found)
    await hooks.run("after_load", (document,))
    return document


async def delete(document: DocumentModel) -> bool:
    """Delete an object's document; see `PersistableBase.delete`."""
    refuse_change(type(document), "delete")
    await run_before("before_delete", document)
    async with _concurrency.ObjectLock(document) as lock:
        await join_transaction(lock, document)
        deletes = any(isinstance(a.plan, Deletion) for a in attempts_of(document))
        is_deleted = await _settle_if_known(lock, document) and deletes
        if not is_deleted:
            target = await target_of(type(document))
            is_deleted = await finish(lock, target, _delete(target, document), (document,))
    if is_deleted:
        await hooks.run("after_delete", (document,))
    return is_deleted


async def _delete(target: Target, document: DocumentModel) -> bool:
    action = f"delete {type(document).__name__}"
    key, condition = id_filter(stored_id(document)), revision_condition(document)
    stored: dict[str, Any] | None = None
    command = WriteCommand(target.collection, deletion(target.collection.name, key | condition))
    async with target.call(action):
        with recorded_attempt(target, document, Deletion(document.id)) as attempt:
            attempt.command = command
            reply = await send(command, target.session)
            attempt.settle()
            raise_refusal(reply)
        if condition and not reply["n"]:
            stored = await target.primary.find_one(key, session=target.session)
    forget_settled(document)
    if stored is not None:
        raise stale(type(document), document.id, condition, stored)
    set_baseline(document, None)
    set_attempts(document, ())
    raise_unconfirmed(reply, action)
    return bool(reply["n"])


async def _settle_if_known(lock: _concurrency.ObjectLock, document: DocumentModel) -> bool:
    """Settle earlier writes, as far as the server can tell their outcomes.

    A write that reached the server later would change the document after this call.
    """
    try:
        return bool(attempts_of(document)) and await _settle(lock, document)
    except OutcomeUnknown:
        if context.transaction.get() is not None:
            raise
        return False


async def _settle(lock: _concurrency.ObjectLock, document: DocumentModel) -> bool:
    target = await target_of(type(document))
    return await finish(lock, target, settle(target, document), (document,))


async def from_id(model: type[D], id: Any) -> D | None:
    """Return the object of an id, or None; see `PersistableBase.from_id`."""
    key = parse_id(model, id)
    target = await target_of(model)
    async with target.call(f"load {model.__name__}"):
        found = await load_by_id(target, model, key)
    if found is None:
        return None
    document: D = hydrator(model).one(found)
    if hooks.has(type(document), "after_load"):
        await hooks.run("after_load", (document,))
    return document


def _check_class(document: DocumentModel, found: dict[str, Any]) -> None:
    model, kind = type(document), hydrator(type(document)).class_of(found)
    if kind is not model:
        raise InvalidDocument(
            f"document {document.id!r} was a {model.__name__} and is a {kind.__name__} now",
            id=document.id,
            fields={},
            hint="load a new object by its id: an object cannot change its class",
        )
