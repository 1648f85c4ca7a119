"""Plans as the statements of MongoDB's write commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bson import ObjectId
from bson.raw_bson import RawBSONDocument

from .identity import id_filter
from .update_document import Update
from .write_plan import Insertion, Modification, Plan

#: The bytes of statements in one command; the command is a document, which may have 16 MB.
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


def statement(plan: Plan) -> dict[str, Any]:
    """Return the statement of an update, or of storing a document that may exist."""
    return _replacement(plan) if isinstance(plan, Insertion) else _update(plan)


def replacement(id: Any, raw: RawBSONDocument) -> dict[str, Any]:
    """Return the statement that stores a document, in the place of one with its id."""
    return {"q": id_filter(id), "u": raw, "upsert": True}


def selection(plan: Modification) -> dict[str, Any]:
    """Return the query for the document of an update, if it is as the update needs it."""
    return {**id_filter(plan.id), **plan.revision, **plan.parents}


def _replacement(plan: Insertion) -> dict[str, Any]:
    return replacement(plan.id, RawBSONDocument(plan.raw))


def _update(plan: Modification) -> dict[str, Any]:
    """Return an update that the server refuses if it finds no document.

    The reply to an `update` command has one count for all statements: it does not tell which of
    them found nothing. So each is an upsert that would give the new document another `_id` than its
    query names, which the server refuses with `ImmutableField`; it applies `$setOnInsert` to new
    documents alone (MongoDB manual, "$setOnInsert").
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
    # The new document of an upsert begins with what its query compares with, and nothing else.
    start = {"_id": "$_id", **{name: f"${name}" for name in revision}}
    is_new = {"$eq": ["$$ROOT", start]}
    return [{"$set": {"_id": {"$cond": [is_new, other, "$_id"]}}}, *update]


def size_of(plan: Plan) -> int:
    """Return about how many bytes of a command a plan takes."""
    return len(plan.raw) if isinstance(plan, Insertion) else plan.size


def batches(sizes: Sequence[int], max_statements: int) -> Iterator[slice[int, int]]:
    """Yield the parts of some statements that each go into one command.

    Parameters:
        sizes: The bytes of each statement.
        max_statements: How many statements a command may have.
    """
    start = total = 0
    for place, size in enumerate(sizes):
        if place > start and (total + size > MAX_BYTES or place - start == max_statements):
            yield slice(start, place)
            start, total = place, 0
        total += size
    if sizes:
        yield slice(start, len(sizes))
