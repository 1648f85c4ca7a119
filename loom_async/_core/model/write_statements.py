"""Turns write plans into MongoDB commands, and into their statements in batches of 12 MB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bson import ObjectId
from bson.raw_bson import RawBSONDocument

from .identity import id_filter
from .update_document import Update
from .write_attempt import Insertion, Modification, Upsert, WritePlan

#: The bytes of the statements of one command, which is a document of at most 16 MB.
MAX_BYTES = 12_000_000


def find_and_modify(collection: str, plan: Modification) -> dict[str, Any]:
    """Return the command that updates a document and replies with it."""
    return {
        "findAndModify": collection,
        "query": selection(plan),
        "update": plan.update,
        "new": True,
    }


def insertion(collection: str, plan: Insertion) -> dict[str, Any]:
    """Return the command that stores a new document."""
    if plan.replace:
        return {"update": collection, "updates": [_replacement(plan)]}
    return {"insert": collection, "documents": [RawBSONDocument(plan.raw)]}


def deletion(collection: str, query: Mapping[str, Any]) -> dict[str, Any]:
    """Return the command that deletes one document."""
    return {"delete": collection, "deletes": [{"q": query, "limit": 1}]}


def insert_many(
    collection: str, documents: Sequence[RawBSONDocument], *, ordered: bool
) -> dict[str, Any]:
    """Return the command that stores new documents."""
    return {"insert": collection, "documents": documents, "ordered": ordered}


def update_many(
    collection: str, statements: Sequence[Mapping[str, Any]], *, ordered: bool
) -> dict[str, Any]:
    """Return the command of many updates."""
    return {"update": collection, "updates": statements, "ordered": ordered}


def statement(plan: WritePlan | Upsert) -> dict[str, Any]:
    """Return the statement of an update, or of storing a document that may exist."""
    if isinstance(plan, Upsert):
        return {"q": plan.query, "u": plan.change.update, "upsert": True}
    return _replacement(plan) if isinstance(plan, Insertion) else _update(plan)


def replacement(id: Any, raw: RawBSONDocument) -> dict[str, Any]:
    """Return the statement that stores a document, or replaces the one with its id."""
    return {"q": id_filter(id), "u": raw, "upsert": True}


def selection(plan: Modification) -> dict[str, Any]:
    """Return the filter for the document of an update, with the conditions of the update."""
    return {**id_filter(plan.id), **plan.revision, **plan.condition}


def _replacement(plan: Insertion) -> dict[str, Any]:
    return replacement(plan.id, RawBSONDocument(plan.raw))


def _update(plan: Modification) -> dict[str, Any]:
    """Return an update that the server refuses if it finds no document.

    The reply to an `update` command has one count for all statements, and does not list those that
    found nothing. So each statement is an upsert that would give a new document another `_id` than
    its filter names, which the server refuses with `ImmutableField`. `$setOnInsert` applies only to
    new documents (MongoDB manual, "$setOnInsert").
    """
    return {
        "q": selection(plan),
        "u": _refusing_new(plan.update, plan.revision),
        "upsert": True,
    }


def _refusing_new(update: Update, revision: Mapping[str, Any]) -> Update:
    other = ObjectId()
    if isinstance(update, dict):
        return {**update, "$setOnInsert": {"_id": other}}
    # The new document of an upsert begins with the values of its filter alone.
    start = {"_id": "$_id", **{name: f"${name}" for name in revision}}
    is_new = {"$eq": ["$$ROOT", start]}
    return [{"$set": {"_id": {"$cond": [is_new, other, "$_id"]}}}, *update]


def size_of(plan: WritePlan | Upsert) -> int:
    """Return the approximate size of a plan in a command, in bytes."""
    if isinstance(plan, Upsert):
        return plan.change.size
    return len(plan.raw) if isinstance(plan, Insertion) else plan.size


def batches(sizes: Sequence[int], max_statements: int) -> Iterator[slice[int, int]]:
    """Yield which of some statements go into each command.

    Parameters:
        sizes: The bytes of each statement.
        max_statements: The number of statements that a command may have.
    """
    start = total = 0
    for index, size in enumerate(sizes):
        if index > start and (total + size > MAX_BYTES or index - start == max_statements):
            yield slice(start, index)
            start, total = index, 0
        total += size
    if sizes:
        yield slice(start, len(sizes))
