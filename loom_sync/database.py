# Generated from loom_async/database.py by `nox -s sync`: edit that file, not this one.
"""Which client and database an operation uses: those of its context, else those of the settings."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from loom_async._core import context, drops
from loom_async._core.model.metadata import Declaration, check_database_name, declaration_of
from loom_async._core.model.timeseries import timeseries_of
from loom_async._core.model.values import CODEC_OPTIONS

from . import _seam
from .client_state import state_of
from .clients import (
    Client,
    MongoCollection,
    MongoDatabase,
    client_of,
    close_client,
    configured_client,
    configured_uri,
    open_client,
    opened_client,
    own_client,
)
from .creation import ensure_collection
from .embedded_server import start_embedded
from .fallback import start_fallback
from .indexes import ensure_indexes


@contextmanager
def connect(uri: str | None = None, **options: Any) -> Generator[Client]:
    """Open a client that every model of this thread uses until the block ends.

    Parameters:
        uri: A MongoDB URI; None for what the settings say.
        **options: Options of pymongo's client, as it spells them.

    Yields:
        The open `MongoClient`.

    Raises:
        ConfigurationError: The URI is malformed; or there is none, and the setting `embedded` is
            "never".

    Example:
        >>> import loom_sync as lm
        >>> def main() -> None:
        ...     with lm.connect("mongodb://localhost/?replicaSet=rs0") as client:
        ...         print(client.server_info())
    """
    with ExitStack() as stack:
        target = uri if uri is not None else configured_uri()
        if target is None:
            lease = stack.enter_context(start_fallback())
            target, given = lease.uri, options.get("event_listeners", ())
            options["event_listeners"] = [*given, *lease.listeners]
        client = open_client(target, **options)
        server = context.Server(client, target, options, _seam.client_scope())
        stack.enter_context(context.server.set(server, shared=_seam.is_script()))
        try:
            yield client
        finally:
            close_client(client)


@contextmanager
def embedded(data_dir: str | Path | None = None) -> Generator[Client]:
    """Run the embedded server for every model of this thread until the block ends.

    Parameters:
        data_dir: Where the data is kept; None for a temporary directory that is removed.

    Yields:
        A client of a real single-node replica set.

    Raises:
        ConfigurationError: There is no mongod, or this one does not run here.
        EmbeddedServerError: The server did not become ready.

    Example:
        >>> import loom_sync as lm
        >>> def main() -> None:
        ...     with lm.embedded() as client:
        ...         print(client.server_info())
    """
    directory = Path(data_dir) if data_dir is not None else None
    with start_embedded(directory, temporary=directory is None) as lease:
        with connect(lease.uri, event_listeners=lease.listeners) as client:
            yield client


@contextmanager
def using(*, client: Client | None = None, database: str | None = None) -> Generator[None]:
    """Have every model of this thread use another client, another database, or both.

    Parameters:
        client: An open client; the caller closes it.
        database: Takes the place of every model's own database.

    Raises:
        ConfigurationError: MongoDB does not accept the database's name.

    Example:
        >>> import loom_sync as lm
        >>> with lm.using(database="tenant_42"):
        ...     pass
    """
    with ExitStack() as stack:
        shared = _seam.is_script()
        if database is not None:
            name = check_database_name(database)
            stack.enter_context(context.database.set(name, shared=shared))
        if client is not None:
            server = context.Server(client, outer=context.server.get())
            stack.enter_context(context.server.set(server, shared=shared))
        yield


def namespace_of(target: str | type) -> str | dict[str, str]:
    """Return where a stage writes: a collection of the same database, or a model's own place."""
    if isinstance(target, str):
        return target
    declaration = declaration_of(target)
    return {
        "db": context.database.get() or declaration.db_name,
        "coll": declaration.collection_name,
    }


def collection_at_hand(model: type, place: context.Place) -> MongoCollection | None:
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
    found = state_of(client).ready.get((model, place.database))
    return None if found is None or found[0] is not declaration else found[1]


def collection_of(
    model: type, place: context.Place | None = None, *, indexed: bool = True
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
    place = place or context.here()
    client = _client_at(declaration, place.server)
    key = (place.database or declaration.db_name, declaration.collection_name)
    state = state_of(client)
    found = state.collections.get(key)
    if found is None:
        found = client.get_database(key[0]).get_collection(key[1], CODEC_OPTIONS)
        state.collections[key] = found
    # Where its transaction has written, making an index would wait for the transaction's own end.
    is_held = place.transaction is not None and key in place.transaction.namespaces
    needs = declaration.indexes or timeseries_of(model)
    if indexed and needs and not is_held and (model, *key) not in state.indexed:
        # Of its own, since making an index may wait for a transaction in the collection.
        with state.locks.setdefault(key, _seam.Lock()):
            if (model, *key) not in state.indexed:
                before = drops.count()
                ensure_collection(model, found)
                ensure_indexes(model, found)
                if drops.count() == before:
                    state.indexed.add((model, *key))
    if not needs or (model, *key) in state.indexed:
        state.ready[model, place.database] = declaration, found
    return found


def client_for(model: type) -> Client:
    """Return the client that a model's operations use here; see `HandleModel.get_db_client`."""
    return _client_at(declaration_of(model), context.server.get())


def database_of(model: type) -> MongoDatabase:
    """Return the database that a model's operations use here; see `HandleModel.get_db`."""
    declaration = declaration_of(model)
    name = context.database.get() or declaration.db_name
    return client_for(model).get_database(name, CODEC_OPTIONS)


def _client_at(declaration: Declaration, server: context.Server | None) -> Client:
    if server is None:
        return configured_client(remote=declaration.remote_db)
    return client_of(server)
