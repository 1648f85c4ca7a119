"""The load of one document by its id; what many tasks ask for at once goes together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from . import _seam
from ._core.alone import ALONE, Alone
from ._core.model.changes import as_bytes
from ._core.model.family import scope_of
from ._core.model.values import decode_bson, encode_bson
from .client_state import is_grouping, state_of
from .clients import MongoCollection
from .targets import Target


async def load_by_id(target: Target, model: type, key: Any) -> dict[str, Any] | None:
    """Return the document of an id, as it is stored; None if the model has none."""
    if target.session is None:
        return await _grouped(target.collection, model)(key)
    wanted = {"_id": key, **scope_of(model)}
    return await target.collection.find_one(wanted, session=target.session)


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


async def _load(collection: MongoCollection, model: type, key: Any) -> dict[str, Any] | None:
    return await collection.find_one({"_id": key, **scope_of(model)})


async def _load_together(
    collection: MongoCollection, model: type, keys: Sequence[Any]
) -> list[dict[str, Any] | Alone | None]:
    # One reply as long as it has room: a cursor would stay open if this were cancelled.
    wanted = {"_id": {"$in": list(keys)}, **scope_of(model)}
    found = collection.find(wanted, batch_size=len(keys) + 1)
    stored = {as_bytes(document["_id"]): document for document in await found.to_list()}
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
