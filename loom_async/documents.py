"""One document: persisted as an insert or a minimal update, loaded by id, reloaded, deleted."""

from __future__ import annotations

from typing import Any, TypeVar

from bson.raw_bson import RawBSONDocument

from . import _seam, hooks
from ._core.doubt import Sending
from ._core.errors import DocumentNotFound, InvalidDocument
from ._core.model.absorb import absorb_document, absorb_insertion, absorb_modification
from ._core.model.append_only import refuse_change
from ._core.model.document import DocumentModel, set_baseline, set_doubt
from ._core.model.hydration import hydrator
from ._core.model.identity import parse_id, stored_id
from ._core.model.plan import Insertion, Modification, plan_persist
from ._core.model.revisions import revision_condition, stale
from ._core.transaction import remember
from .loads import load_by_id
from .targets import target_of
from .writes import update_and_fetch

D = TypeVar("D", bound=DocumentModel)


async def persist(document: DocumentModel) -> bool:
    """Insert a new document, or update what changed; see `PersistableBase.persist`."""
    remember(document)
    # Asked here, since a save without hooks feels the cost of two coroutines.
    if hooks.has(type(document), "before_persist"):
        await hooks.run("before_persist", (document,))
    async with _seam.Exclusively(document):
        plan = plan_persist(document)
        if plan is None:
            return False
        if isinstance(plan, Insertion):
            await _insert(document, plan)
        else:
            await _modify(document, plan)
    if hooks.has(type(document), "after_persist"):
        await hooks.run("after_persist", (document,))
    return True


async def reload(document: D) -> D:
    """Make an object hold what the database has; see `PersistableBase.reload`."""
    remember(document)
    async with _seam.Exclusively(document):
        target = await target_of(type(document))
        async with target.turn(f"reload {type(document).__name__}"):
            key = {"_id": stored_id(document)}
            found = await target.primary.find_one(key, session=target.session)
        if found is None:
            raise _not_found(document)
        _check_class(document, found)
        absorb_document(document, found)
    await hooks.run("after_load", (document,))
    return document


async def delete(document: DocumentModel) -> bool:
    """Delete an object's document; see `PersistableBase.delete`."""
    refuse_change(type(document), "delete")
    remember(document)
    await hooks.run("before_delete", (document,))
    async with _seam.Exclusively(document):
        target = await target_of(type(document))
        async with target.turn(f"delete {type(document).__name__}"):
            key, condition = {"_id": stored_id(document)}, revision_condition(document)
            result = await target.collection.delete_one(key | condition, session=target.session)
            there = None
            if condition and not result.deleted_count:
                there = await target.primary.find_one(key, session=target.session)
        if there is not None:
            raise stale(type(document), document.id, condition, there)
        set_baseline(document, None)
        set_doubt(document, False)
    if result.deleted_count:
        await hooks.run("after_delete", (document,))
    return bool(result.deleted_count)


async def from_id(model: type[D], id: Any) -> D | None:
    """Return the object of an id, or None; see `PersistableBase.from_id`."""
    key = parse_id(model, id)
    target = await target_of(model)
    async with target.turn(f"load {model.__name__}"):
        found = await load_by_id(target, model, key)
    if found is None:
        return None
    document: D = hydrator(model).one(found)
    if hooks.has(type(document), "after_load"):
        await hooks.run("after_load", (document,))
    return document


async def _insert(document: DocumentModel, plan: Insertion) -> None:
    model = type(document)
    # Encoded once: pymongo passes the bytes on, though its types know only its own documents here.
    raw: Any = RawBSONDocument(plan.raw)
    target = await target_of(model)
    async with target.turn(f"persist {model.__name__}"):
        with Sending(document):
            if plan.replace:
                key = {"_id": plan.id}
                await target.collection.replace_one(key, raw, upsert=True, session=target.session)
            else:
                await target.collection.insert_one(raw, session=target.session)
    absorb_insertion(document, plan)


async def _modify(document: DocumentModel, plan: Modification) -> None:
    model = type(document)
    target = await target_of(model)
    there: dict[str, Any] | None = None
    async with target.turn(f"persist {model.__name__}"):
        with Sending(document):
            found = await update_and_fetch(target, plan)
        if found is None and plan.condition:
            there = await target.primary.find_one({"_id": plan.id}, session=target.session)
    if found is None:
        set_doubt(document, False)
        raise (
            _not_found(document) if there is None else stale(model, plan.id, plan.condition, there)
        )
    absorb_modification(document, plan, found)


def _check_class(document: DocumentModel, found: dict[str, Any]) -> None:
    model, kind = type(document), hydrator(type(document)).class_of(found)
    if kind is not model:
        raise InvalidDocument(
            f"document {document.id!r} was a {model.__name__} and is a {kind.__name__} now",
            id=document.id,
            fields={},
            hint="load it anew by its id: an object cannot change its class",
        )


def _not_found(document: DocumentModel) -> DocumentNotFound:
    return DocumentNotFound(
        f"{type(document).__name__} {document.id!r} is not in its collection",
        id=document.id,
        hint="it has been deleted; to store it again, persist a model_copy without its past: "
        "Model(**document.model_dump())",
    )
