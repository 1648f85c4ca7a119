"""Which client and database an operation uses: those of its context, else those of the settings."""

from __future__ import annotations

import os
import weakref
from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar, Token
from pathlib import Path
from typing import Any, TypeAlias

from pymongo.asynchronous.collection import AsyncCollection

from . import _seam
from ._core.model.metadata import check_database_name, declaration_of
from ._core.model.values import CODEC_OPTIONS
from ._core.settings import settings
from .clients import (
    Client,
    configured_uri,
    get_async_local_db_client,
    get_async_remote_db_client,
    open_client,
)
from .embedded_server import start_embedded
from .indexes import ensure_indexes

Collection: TypeAlias = AsyncCollection[dict[str, Any]]

_client: ContextVar[Client | None] = ContextVar("loom_client", default=None)
_database: ContextVar[str | None] = ContextVar("loom_database", default=None)


def _forget_after_fork() -> None:
    # The sockets of an open client are the parent's.
    _client.set(None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


@asynccontextmanager
async def connect(uri: str | None = None, **options: Any) -> AsyncGenerator[Client]:
    """Open a client that every model of this task uses until the block ends.

    Parameters:
        uri: A MongoDB URI; None for what the settings say.
        **options: Options of pymongo's client, as it spells them.

    Yields:
        The open `AsyncMongoClient`.

    Raises:
        ConfigurationError: The URI is malformed.

    Example:
        >>> import loom_async as lm
        >>> async def main() -> None:
        ...     async with lm.connect("mongodb://localhost/?replicaSet=rs0") as client:
        ...         print(await client.server_info())
    """
    with ExitStack() as stack:
        target = uri if uri is not None else configured_uri()
        if target is None:
            target = stack.enter_context(await start_embedded(settings().data_dir)).uri
        client = open_client(target, **options)
        stack.enter_context(using(client=client))
        try:
            yield client
        finally:
            await client.close()


@asynccontextmanager
async def embedded(data_dir: str | Path | None = None) -> AsyncGenerator[Client]:
    """Run the embedded server for every model of this task until the block ends.

    Parameters:
        data_dir: Where the data is kept; None for a temporary directory that is removed.

    Yields:
        A client of a real single-node replica set.

    Raises:
        ConfigurationError: There is no mongod, or this one does not run here.
        EmbeddedServerError: The server did not become ready.

    Example:
        >>> import loom_async as lm
        >>> async def main() -> None:
        ...     async with lm.embedded() as client:
        ...         print(await client.server_info())
    """
    directory = Path(data_dir) if data_dir is not None else None
    with await start_embedded(directory, temporary=directory is None) as lease:
        async with connect(lease.uri) as client:
            yield client


@contextmanager
def using(*, client: Client | None = None, database: str | None = None) -> Generator[None]:
    """Have every model of this task use another client, another database, or both.

    Parameters:
        client: An open client; the caller closes it.
        database: Takes the place of every model's own database.

    Raises:
        ConfigurationError: MongoDB does not accept the database's name.

    Example:
        >>> import loom_async as lm
        >>> with lm.using(database="tenant_42"):
        ...     pass
    """
    undo: list[tuple[ContextVar[Any], Token[Any]]] = []
    if database is not None:
        undo.append((_database, _database.set(check_database_name(database))))
    if client is not None:
        undo.append((_client, _client.set(client)))
    try:
        yield
    finally:
        for variable, token in reversed(undo):
            _restore(variable, token)


def _restore(variable: ContextVar[Any], token: Token[Any]) -> None:
    try:
        variable.reset(token)
    except ValueError:
        # The block ends in another context than it began in, as an async fixture's may: this
        # context never saw the value, so there is nothing to put back.
        return


class _ClientState:
    """What is remembered of one client: its collections, and which have their indexes."""

    def __init__(self) -> None:
        self.lock = _seam.Lock()
        self.collections: dict[tuple[str, str], Collection] = {}
        self.indexed: set[tuple[type, str, str]] = set()


_states: dict[int, _ClientState] = {}


def _state_of(client: Client) -> _ClientState:
    state = _states.get(id(client))
    if state is None:
        # By identity: pymongo's clients are equal when their servers are.
        state = _states[id(client)] = _ClientState()
        weakref.finalize(client, _states.pop, id(client), None)
    return state


def namespace_of(target: str | type) -> str | dict[str, str]:
    """Return where a stage writes: a collection of the same database, or a model's own place."""
    if isinstance(target, str):
        return target
    declaration = declaration_of(target)
    return {"db": _database.get() or declaration.db_name, "coll": declaration.collection_name}


async def collection_of(model: type, *, indexed: bool = True) -> Collection:
    """Return the collection that a model's operations use here and now, its indexes made.

    Parameters:
        model: A declared model.
        indexed: False leaves the indexes as they are.

    Raises:
        ConfigurationError: The model was not declared.
        IndexConflict: The data does not allow a declared index.
    """
    declaration = declaration_of(model)
    client = _client.get()
    if client is None:
        client = await _default_client(declaration.remote_db)
    database = _database.get() or declaration.db_name
    key = (database, declaration.collection_name)
    state = _state_of(client)
    found = state.collections.get(key)
    if found is None:
        found = client.get_database(key[0]).get_collection(key[1], CODEC_OPTIONS)
        state.collections[key] = found
    if indexed and declaration.indexes and (model, *key) not in state.indexed:
        async with state.lock:
            if (model, *key) not in state.indexed:
                await ensure_indexes(model, found)
                state.indexed.add((model, *key))
    return found


async def _default_client(remote: bool) -> Client:
    return await (get_async_remote_db_client() if remote else get_async_local_db_client())
