# Generated from loom_async/loads.py by `nox -s sync`: edit that file, not this one.
"""The load of one document by its id; what many threads ask for at once goes together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from bson import Int64, ObjectId
from pymongo.errors import ConnectionFailure

from loom_async._core.alone import ALONE, Alone
from loom_async._core.model.changes import as_bytes
from loom_async._core.model.family import scope_of
from loom_async._core.model.identity import id_filter
from loom_async._core.model.values import decode_bson, encode_bson

from . import _seam
from .client_state import is_grouping, state_of
from .clients import MongoCollection
from .targets import Target

# Measured with 2 to 8 threads: for six ids one query takes less time than six.
_BUSY, _LEAST = 2, 6


def load_by_id(target: Target, model: type, key: Any) -> dict[str, Any] | None:
    """Return the document of an id, as it is stored; None if the model has none."""
    if target.session is None:
        return _grouped(target.collection, model)(key)
    wanted = {**id_filter(key), **scope_of(model)}
    return target.collection.find_one(wanted, session=target.session)


def _grouped(collection: MongoCollection, model: type) -> _seam.Grouped[Any, dict[str, Any] | None]:
    known = state_of(collection.database.client).loads
    found = known.get((id(collection), model))
    if found is None:
        found = _seam.Grouped(
            partial(_load, collection, model),
            partial(_load_together, collection, model),
            partial(_can_be_grouped, collection),
            busy=_BUSY,
            least=_LEAST,
        )
        known[id(collection), model] = found
    return found


def _can_be_grouped(collection: MongoCollection, key: Any) -> bool:
    # The server makes linearizable a query for one document, and no other.
    return collection.read_concern.level != "linearizable" and is_grouping()


def _load(collection: MongoCollection, model: type, key: Any) -> dict[str, Any] | None:
    return collection.find_one({**id_filter(key), **scope_of(model)})


def _load_together(
    collection: MongoCollection, model: type, keys: Sequence[Any]
) -> list[dict[str, Any] | Alone | None]:
    wanted = {"_id": {"$in": list(keys)}, **scope_of(model)}
    try:
        # One reply as long as it has room: a cursor would stay open if this were cancelled.
        rows = collection.find(wanted, batch_size=len(keys) + 1).to_list()
        stored = {_name(row["_id"]): row for row in rows}
        names = [_name(key) for key in keys]
    except ConnectionFailure:
        raise
    except Exception:
        return [ALONE] * len(keys)  # so that each has its own error, or none
    given: set[bytes] = set()
    results: list[dict[str, Any] | Alone | None] = []
    for key, name in zip(keys, names, strict=True):
        row = stored.get(name)
        if row is not None and name in given:
            row = decode_bson(encode_bson(row))  # no two objects share their values
        given.add(name)
        is_known = row is not None or type(key) in _OF_ONE_FORM
        results.append(row if is_known else ALONE)
    return results


# To the server 1 is 1.0 too, and a collation may have "a" be "A": it alone tells whether a document
# has such an id. These are the same in their bytes or not at all.
_OF_ONE_FORM = frozenset({ObjectId, UUID, bytes})


def _name(id: Any) -> bytes:
    return as_bytes(int(id) if type(id) is Int64 else id)
