"""The collection of a model here and now, made and indexed on first use."""

from __future__ import annotations

from .. import _concurrency
from .._core import context, drops
from .._core.bson_codec import CODEC_OPTIONS
from .._core.collections.timeseries import timeseries_of
from .._core.model.declaration import Declaration, declaration_of
from ..connection.client_cache import cache_of
from ..connection.clients import client_of, configured_client, opened_client, own_client
from ..connection.driver_types import Client, MongoCollection, MongoDatabase
from .create import ensure_collection
from .indexes import ensure_indexes


def namespace_of(target: str | type) -> str | dict[str, str]:
    """Return where a stage writes: a collection of the same database, or a model's own place."""
    if isinstance(target, str):
        return target
    declaration = declaration_of(target)
    return {
        "db": context.database.get() or declaration.db_name,
        "coll": declaration.collection_name,
    }


def collection_at_hand(model: type, place: context.OperationContext) -> MongoCollection | None:
    """Return a collection that has been used before, by a client that is open; None otherwise.

    What `collection_of` would return, without its coroutines.
    """
    declaration = declaration_of(model)
    if place.server is None:
        client = opened_client(remote=declaration.remote_db)
    else:
        client = own_client(place.server)
    if client is None:
        return None
    found = cache_of(client).ready.get((model, place.database))
    return None if found is None or found[0] is not declaration else found[1]


async def collection_of(
    model: type, place: context.OperationContext | None = None, *, indexed: bool = True
) -> MongoCollection:
    """Return the collection that a model's operations use, its indexes made.

    Parameters:
        model: A declared model.
        place: Where the operation goes; None for here and now.
        indexed: False leaves the indexes as they are.

    Raises:
        ConfigurationError: The model was not declared.
        IndexConflict: The data does not allow a declared index.
    """
    declaration = declaration_of(model)
    place = place or context.current_context()
    client = await _client_at(declaration, place.server)
    key = (place.database or declaration.db_name, declaration.collection_name)
    state = cache_of(client)
    found = state.collections.get(key)
    if found is None:
        found = client.get_database(key[0]).get_collection(key[1], CODEC_OPTIONS)
        state.collections[key] = found
    # Where its transaction has written, making an index would wait for the transaction's own end.
    is_held = place.transaction is not None and key in place.transaction.namespaces
    needs = declaration.indexes or timeseries_of(model)
    if indexed and needs and not is_held and (model, *key) not in state.indexed:
        # Of its own, since making an index may wait for a transaction in the collection.
        async with state.locks.setdefault(key, _concurrency.Lock()):
            if (model, *key) not in state.indexed:
                before = drops.count()
                await ensure_collection(model, found)
                await ensure_indexes(model, found)
                if drops.count() == before:
                    state.indexed.add((model, *key))
    if not needs or (model, *key) in state.indexed:
        state.ready[model, place.database] = declaration, found
    return found


async def client_for(model: type) -> Client:
    """Return the client that a model's operations use; see `DriverHandleModel.get_db_client`."""
    return await _client_at(declaration_of(model), context.server.get())


async def database_of(model: type) -> MongoDatabase:
    """Return the database that a model's operations use here; see `DriverHandleModel.get_db`."""
    declaration = declaration_of(model)
    name = context.database.get() or declaration.db_name
    return (await client_for(model)).get_database(name, CODEC_OPTIONS)


async def _client_at(declaration: Declaration, server: context.Server | None) -> Client:
    if server is None:
        return await configured_client(remote=declaration.remote_db)
    return await client_of(server)
