"""Finds the client, the database and the collection that an operation uses.

The client is that of the innermost block, else that of `open`, else that of the settings. The first
operation on a collection creates it and its indexes; the next ones find it in the client's cache.
"""

from __future__ import annotations

from typing import cast

from pymongo import AsyncMongoClient

from .. import _concurrency
from .._core import drops
from .._core.bson_codec import CODEC_OPTIONS
from .._core.collections.timeseries import timeseries_of
from .._core.context import OperationContext, Server, current_context
from .._core.errors import ConfigurationError
from .._core.model.declaration import declaration_of
from .._core.server_uris import local_uri, remote_uri
from ..connection.client_cache import ClientCache, ReadyCollection, cache_of
from ..connection.driver_types import Client, MongoCollection, MongoDatabase
from ..connection.scope_clients import cached_client, find_cached_client
from .create import ensure_collection
from .indexes import ensure_indexes


def ready_collection(model: type, context: OperationContext) -> MongoCollection | None:
    """Return a model's collection if an operation has used it before; None otherwise.

    It is the one that `collection_of` returns, found without a coroutine.

    Parameters:
        model: A declared model.
        context: The context of the operation.

    Raises:
        ConfigurationError: The model was not declared.
    """
    declaration = declaration_of(model)
    client = _ready_client(context.server, remote=declaration.remote_db)
    if client is None:
        return None
    ready = cache_of(client).ready.get((model, context.database))
    # A model that was declared again since then may have another collection and other indexes.
    return ready.collection if ready is not None and ready.declaration is declaration else None


def _ready_client(server: Server | None, *, remote: bool) -> Client | None:
    """Return the client that operations use here, if it is open in this event loop."""
    if server is None:
        return find_cached_client(remote_uri() if remote else local_uri())
    # The client of another event loop, or of the other package, cannot be used here.
    if server.scope is not None and server.scope is not _concurrency.client_scope():
        return None
    client = server.client
    return cast("Client", client) if isinstance(client, AsyncMongoClient) else None


async def collection_of(
    model: type, context: OperationContext | None = None, *, indexed: bool = True
) -> MongoCollection:
    """Return the collection of a model, created if it is a time series, with its indexes.

    Parameters:
        model: A declared model.
        context: The context of the operation; None for the current one.
        indexed: False creates neither the time series nor the indexes.

    Raises:
        ConfigurationError: The model was not declared, or there is no server.
        IndexConflict: The data does not allow a declared index.
    """
    declaration = declaration_of(model)
    context = context or current_context()
    client = await _client_of(context.server, remote=declaration.remote_db)
    cache = cache_of(client)
    database, name = context.database or declaration.db_name, declaration.collection_name
    collection = cache.collections.get((database, name))
    if collection is None:
        collection = client.get_database(database).get_collection(name, CODEC_OPTIONS)
        cache.collections[database, name] = collection
    needs_setup = bool(declaration.indexes) or timeseries_of(model) is not None
    # To create an index where the transaction has written would wait for the transaction's own end.
    written = () if context.transaction is None else context.transaction.namespaces
    if needs_setup and indexed and (database, name) not in written:
        await _set_up(model, collection, cache)
    if not needs_setup or (model, database, name) in cache.set_up:
        cache.ready[model, context.database] = ReadyCollection(declaration, collection)
    return collection


async def _set_up(model: type, collection: MongoCollection, cache: ClientCache) -> None:
    """Create a collection and its indexes as the model declares them, once for each client."""
    database, name = collection.database.name, collection.name
    if (model, database, name) in cache.set_up:
        return
    # One lock for each collection: an index may have to wait for a transaction in its collection.
    async with cache.locks.setdefault((database, name), _concurrency.Lock()):
        if (model, database, name) not in cache.set_up:
            drops_before = drops.count()
            await ensure_collection(model, collection)
            await ensure_indexes(model, collection)
            if drops.count() == drops_before:
                cache.set_up.add((model, database, name))


async def _client_of(server: Server | None, *, remote: bool) -> Client:
    """Return the client that operations use here, opened if necessary.

    Raises:
        ConfigurationError: There is no server; or a block was given a client of the other package.
    """
    client = _ready_client(server, remote=remote)
    if client is not None:
        return client
    if server is None:
        return await cached_client(remote_uri() if remote else local_uri())
    if server.uri is not None:
        return await cached_client(server.uri, server.options)
    for outer in server.given_clients():
        if isinstance(outer, AsyncMongoClient):
            return cast("Client", outer)
    raise ConfigurationError(
        "this operation needs an AsyncMongoClient, which using() was not given: it has "
        f"{type(server.client).__name__}",
        hint="give it one by another using(), or connect by URI, which serves both packages",
    )


async def client_for(model: type) -> Client:
    """Return the client that a model's operations use; see `DriverHandleModel.get_db_client`."""
    return await _client_of(current_context().server, remote=declaration_of(model).remote_db)


async def database_of(model: type) -> MongoDatabase:
    """Return the database that a model's operations use; see `DriverHandleModel.get_db`."""
    name = current_context().database or declaration_of(model).db_name
    return (await client_for(model)).get_database(name, CODEC_OPTIONS)


def namespace_of(target: str | type) -> str | dict[str, str]:
    """Return what `$out` and `$merge` take: a collection's name, or the namespace of a model."""
    if isinstance(target, str):
        return target
    declaration = declaration_of(target)
    database = current_context().database or declaration.db_name
    return {"db": database, "coll": declaration.collection_name}


async def get_async_local_db_client() -> Client:
    """Return the client that models without `remote_db=True` use.

    Inside a block it is the block's client; otherwise that of `open`, of `LOOM_URI` or of the
    embedded server, which is opened once per event loop.

    Returns:
        pymongo's client; do not close it.

    Raises:
        ConfigurationError: `using` has a client of the other package, or no server is configured.
        EmbeddedServerError: The embedded server did not become ready.

    Example:
        >>> import loom_async as lm
        >>> async def main() -> None:
        ...     client = await lm.get_async_local_db_client()
        ...     print(await client.server_info())
    """
    return await _client_of(current_context().server, remote=False)


async def get_async_remote_db_client() -> Client:
    """Return the client of `LOOM_REMOTE_URI`, opened once per event loop.

    Returns:
        pymongo's client; do not close it.

    Raises:
        ConfigurationError: `LOOM_REMOTE_URI` is not set.

    Example:
        >>> import loom_async as lm
        >>> async def main() -> None:
        ...     client = await lm.get_async_remote_db_client()
    """
    return await cached_client(remote_uri())
