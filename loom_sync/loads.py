# Generated from loom_async/loads.py by `nox -s sync`: edit that file, not this one.
"""The load of one document by its id; what many threads ask for at once goes together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from loom_async._core.alone import ALONE, Alone
from loom_async._core.model.changes import as_bytes
from loom_async._core.model.family import scope_of
from loom_async._core.model.values import decode_bson, encode_bson

from . import _seam
from .client_state import is_grouping, state_of
from .clients import MongoCollection
from .targets import Target


def load_by_id(target: Target, model: type, key: Any) -> dict[str, Any] | None:
    """Return the document of an id, as it is stored; None if the model has none."""
    if target.session is None:
        return _grouped(target.collection, model)(key)
    wanted = {"_id": key, **scope_of(model)}
    return target.collection.find_one(wanted, session=target.session)


def _grouped(collection: MongoCollection, model: type) -> _seam.Grouped[Any, dict[str, Any] | None]:
    known = state_of(collection.database.client).loads
    found = known.get((id(collection), model))
    if found is None:
        found = _seam.Grouped(
            partial(_load, collection, model),
            partial(_load_together, collection, model),
            partial(_can_be_grouped, collection),
        )
        known[id(collection), model] = found
    return found


def _can_be_grouped(collection: MongoCollection, key: Any) -> bool:
    # The server makes linearizable a query for one document, and no other.
    return collection.read_concern.level != "linearizable" and is_grouping()


def _load(collection: MongoCollection, model: type, key: Any) -> dict[str, Any] | None:
    return collection.find_one({"_id": key, **scope_of(model)})


def _load_together(
    collection: MongoCollection, model: type, keys: Sequence[Any]
) -> list[dict[str, Any] | Alone | None]:
    # One reply as long as it has room: a cursor would stay open if this were cancelled.
    wanted = {"_id": {"$in": list(keys)}, **scope_of(model)}
    found = collection.find(wanted, batch_size=len(keys) + 1)
    stored = {as_bytes(document["_id"]): document for document in found.to_list()}
    names = [as_bytes(key) for key in keys]
    # To the server 1 is 1.0 too, and a collation may have "a" be "A": it alone tells them apart.
    missing = None if stored.keys() <= set(names) else ALONE
    given: set[bytes] = set()
    results: list[dict[str, Any] | Alone | None] = []
    for name in names:
        document = stored.get(name, missing)
        if name in given and isinstance(document, dict):
            document = decode_bson(encode_bson(document))  # no two objects share their values
        given.add(name)
        results.append(document)
    return results
