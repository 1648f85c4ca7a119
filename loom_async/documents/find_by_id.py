"""Finds documents by their ids; loads that many tasks start at once are sent as one query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from uuid import UUID

from bson import Int64, ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import ConnectionFailure

from .._core.bson_codec import decode_bson, encode_bson
from .._core.model.bson_equality import as_bytes
from .._core.model.hydration import split_raw_batch
from .._core.model.identity import id_filter
from .._core.model.polymorphism import scope_of
from .._core.query.query_spec import QuerySpec
from .._core.unbatched import UNBATCHED, Unbatched
from ..connection.driver_types import MongoCollection
from ..connection.pymongo_blocks import is_batching_allowed
from ..operations.read_commands import find_one
from ..operations.target import Target
from .batched_calls import Batching, batched_calls

_NO_CONDITION: Mapping[str, Any] = MappingProxyType({})


async def find_by_ids(
    collection: MongoCollection,
    ids: Sequence[Any],
    condition: Mapping[str, Any] = _NO_CONDITION,
) -> list[dict[str, Any]]:
    """Return the documents that have one of some ids, in any order.

    Parameters:
        collection: The collection.
        ids: The ids in their stored form.
        condition: A further condition.
    """
    query = {"_id": {"$in": ids}, **condition}
    return await collection.find(query, batch_size=_one_batch(ids)).to_list()


async def find_raw(
    collection: MongoCollection, ids: Sequence[Any], session: AsyncClientSession | None = None
) -> list[bytes]:
    """Return the documents that have one of some ids, as BSON and in any order.

    Parameters:
        collection: The collection.
        ids: The ids in their stored form.
        session: The session of a transaction.
    """
    if collection.database.client.options.auto_encryption_opts is not None:
        # The driver does not decrypt raw batches.
        return [encode_bson(document) for document in await find_by_ids(collection, ids)]
    size = _one_batch(ids)
    cursor = collection.find_raw_batches({"_id": {"$in": ids}}, batch_size=size, session=session)
    batches: list[Any] = [batch async for batch in cursor]  # bytes, unlike the type of the cursor
    return split_raw_batch(b"".join(batches))


def _one_batch(ids: Sequence[Any]) -> int:
    """Return a batch size for which all documents come in one reply, as far as it has room.

    A cursor would stay open on the server if its query were cancelled between two replies.
    """
    return len(ids) + 1


async def load_by_id(target: Target, model: type, key: Any) -> dict[str, Any] | None:
    """Return the stored document of an id; None if the model has none."""
    if target.session is None:
        return await batched_calls(_LOADS, target.collection, model)(key)
    return await find_one(target, _query(model, key))


async def _load(collection: MongoCollection, model: type, key: Any) -> dict[str, Any] | None:
    return await find_one(Target(collection), _query(model, key))


def _query(model: type, key: Any) -> QuerySpec:
    return QuerySpec(filters=({**id_filter(key), **scope_of(model)},))


def _can_batch(collection: MongoCollection, model: type, key: Any) -> bool:
    # A query for one document can be linearizable, others cannot.
    return collection.read_concern.level != "linearizable" and is_batching_allowed()


async def _load_batch(
    collection: MongoCollection, model: type, keys: Sequence[Any]
) -> list[dict[str, Any] | Unbatched | None]:
    try:
        found = await find_by_ids(collection, keys, scope_of(model))
        stored = {_key_bytes(document["_id"]): document for document in found}
        wanted = [_key_bytes(key) for key in keys]
    except ConnectionFailure:
        raise
    except Exception:
        return [UNBATCHED] * len(keys)  # so that each call has its own error, or none
    used: set[bytes] = set()
    results: list[dict[str, Any] | Unbatched | None] = []
    for key, name in zip(keys, wanted, strict=True):
        document = stored.get(name)
        if document is not None and name in used:
            document = decode_bson(encode_bson(document))  # two objects share no values
        used.add(name)
        is_known = document is not None or type(key) in _EQUAL_IF_SAME_BYTES
        results.append(document if is_known else UNBATCHED)
    return results


# The server also finds 1.0 for 1 and, with a collation, "A" for "a". So it alone can tell that a
# document is missing, except for ids of these types.
_EQUAL_IF_SAME_BYTES = frozenset({ObjectId, UUID, bytes})


def _key_bytes(id: Any) -> bytes:
    return as_bytes(int(id) if type(id) is Int64 else id)


# Measured with 2 to 8 tasks: one query for six ids takes less time than six queries.
_LOADS: Batching[Any, dict[str, Any] | None] = Batching(
    _load, _load_batch, _can_batch, max_single=2, min_batch=6
)
