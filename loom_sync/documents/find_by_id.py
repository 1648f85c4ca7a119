# Generated from loom_async/documents/find_by_id.py by `nox -s sync`: edit that file.
"""The load of one document by its id; what many threads ask for at once goes together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from bson import Int64, ObjectId
from pymongo.errors import ConnectionFailure

from loom_async._core.bson_codec import decode_bson, encode_bson
from loom_async._core.model.diff import as_bytes
from loom_async._core.model.identity import id_filter
from loom_async._core.model.polymorphism import scope_of
from loom_async._core.unbatched import UNBATCHED, Unbatched

from .. import _concurrency
from ..connection.client_cache import cache_of
from ..connection.driver_types import MongoCollection
from ..connection.pymongo_blocks import is_batching_allowed
from ..operations.target import Target

# Measured with 2 to 8 threads: for six ids one query takes less time than six.
_BUSY, _LEAST = 2, 6


def load_by_id(target: Target, model: type, key: Any) -> dict[str, Any] | None:
    """Return the document of an id, as it is stored; None if the model has none."""
    if target.session is None:
        return _grouped(target.collection, model)(key)
    wanted = {**id_filter(key), **scope_of(model)}
    return target.collection.find_one(wanted, session=target.session)


def _grouped(
    collection: MongoCollection, model: type
) -> _concurrency.BatchedCalls[Any, dict[str, Any] | None]:
    known = cache_of(collection.database.client).loads
    found = known.get((id(collection), model))
    if found is None:
        found = _concurrency.BatchedCalls(
            partial(_load, collection, model),
            partial(_load_together, collection, model),
            partial(_can_be_grouped, collection),
            max_single=_BUSY,
            min_batch=_LEAST,
        )
        known[id(collection), model] = found
    return found


def _can_be_grouped(collection: MongoCollection, key: Any) -> bool:
    # The server makes linearizable a query for one document, and no other.
    return collection.read_concern.level != "linearizable" and is_batching_allowed()


def _load(collection: MongoCollection, model: type, key: Any) -> dict[str, Any] | None:
    return collection.find_one({**id_filter(key), **scope_of(model)})


def _load_together(
    collection: MongoCollection, model: type, keys: Sequence[Any]
) -> list[dict[str, Any] | Unbatched | None]:
    wanted = {"_id": {"$in": list(keys)}, **scope_of(model)}
    try:
        # One reply as long as it has room: a cursor would stay open if this were cancelled.
        rows = collection.find(wanted, batch_size=len(keys) + 1).to_list()
        stored = {_name(row["_id"]): row for row in rows}
        names = [_name(key) for key in keys]
    except ConnectionFailure:
        raise
    except Exception:
        return [UNBATCHED] * len(keys)  # so that each has its own error, or none
    given: set[bytes] = set()
    results: list[dict[str, Any] | Unbatched | None] = []
    for key, name in zip(keys, names, strict=True):
        row = stored.get(name)
        if row is not None and name in given:
            row = decode_bson(encode_bson(row))  # no two objects share their values
        given.add(name)
        is_known = row is not None or type(key) in _OF_ONE_FORM
        results.append(row if is_known else UNBATCHED)
    return results


# To the server 1 is 1.0 too, and a collation may have "a" be "A": it alone tells whether a document
# has such an id. These are the same in their bytes or not at all.
_OF_ONE_FORM = frozenset({ObjectId, UUID, bytes})


def _name(id: Any) -> bytes:
    return as_bytes(int(id) if type(id) is Int64 else id)
