"""Clients: which one an operation uses, opened on first need, closed with its event loop."""

from __future__ import annotations

import os
import weakref
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar, Token
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote, urlsplit

from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from . import _seam
from ._core.driver_errors import redacted
from ._core.errors import ConfigurationError
from ._core.model.metadata import check_database_name, declaration_of
from ._core.model.values import CODEC_OPTIONS
from ._core.settings import settings
from .embedded import Lease, start_embedded
from .indexes import ensure_indexes

Client: TypeAlias = AsyncMongoClient[dict[str, Any]]
Collection: TypeAlias = AsyncCollection[dict[str, Any]]

_client: ContextVar[Client | None] = ContextVar("loom_client", default=None)
_database: ContextVar[str | None] = ContextVar("loom_database", default=None)


class _Opened:
    """The clients that one event loop opened lazily, by URI; '' is the embedded server's."""

    def __init__(self) -> None:
        self.lock = _seam.Lock()
        self.clients: dict[str, Client] = {}
        self.leases: list[Lease] = []
        self.closer: AsyncGenerator[None, None] | None = None

    async def close(self) -> None:
        clients, leases = list(self.clients.values()), list(self.leases)
        self.clients.clear()
        self.leases.clear()
        for client in clients:
            await client.close()
        for lease in leases:
            lease.release()


_opened: weakref.WeakKeyDictionary[Any, _Opened] = weakref.WeakKeyDictionary()


def _forget_after_fork() -> None:
    # Sockets are the parent's: the child opens its own and leaves these untouched.
    global _opened
    _opened = weakref.WeakKeyDictionary()
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
    lease: Lease | None = None
    target = uri if uri is not None else _configured_uri()
    if target is None:
        lease = await start_embedded(settings().data_dir)
        target = lease.uri
    client = open_client(target, **options)
    with using(client=client):
        try:
            yield client
        finally:
            await client.close()
            if lease is not None:
                lease.release()


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
    lease = await start_embedded(directory, temporary=directory is None)
    try:
        async with connect(lease.uri) as client:
            yield client
    finally:
        lease.release()


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


async def close() -> None:
    """Close what was opened lazily in this event loop; the next operation opens it again.

    Example:
        >>> import loom_async as lm
        >>> async def shutdown() -> None:
        ...     await lm.close()
    """
    opened = _opened.pop(_seam.client_scope(), None)
    if opened is not None:
        await opened.close()
        if opened.closer is not None:
            await opened.closer.aclose()


async def get_async_local_db_client() -> Client:
    """Return the client of `LOOM_URI`, else of the embedded server; opened once per event loop.

    Example:
        >>> import loom_async as lm
        >>> async def main() -> None:
        ...     client = await lm.get_async_local_db_client()
        ...     print(await client.server_info())
    """
    uri = _configured_uri()
    return await _cached_client(uri or "")


async def get_async_remote_db_client() -> Client:
    """Return the client of `LOOM_REMOTE_URI`; opened once per event loop.

    Raises:
        ConfigurationError: `LOOM_REMOTE_URI` is not set.

    Example:
        >>> import loom_async as lm
        >>> async def main() -> None:
        ...     client = await lm.get_async_remote_db_client()
    """
    return await _cached_client(_remote_uri())


async def _cached_client(uri: str) -> Client:
    scope = _seam.client_scope()
    opened = _opened.get(scope)
    if opened is None:
        opened = _opened.setdefault(scope, _Opened())
    client = opened.clients.get(uri)
    if client is not None:
        return client
    async with opened.lock:
        if uri not in opened.clients:
            opened.clients[uri] = await _open_lazily(opened, uri)
        return opened.clients[uri]


async def _open_lazily(opened: _Opened, uri: str) -> Client:
    if opened.closer is None:
        opened.closer = await _seam.at_scope_end(opened.close)
    if uri:
        return open_client(uri)
    lease = await start_embedded(settings().data_dir)
    opened.leases.append(lease)
    return open_client(lease.uri)


def open_client(uri: str, **options: Any) -> Client:
    """Return a client with Loom's codec options and time limits.

    Raises:
        ConfigurationError: The URI is malformed; its password is in no part of the error.
    """
    chosen: dict[str, Any] = {"tz_aware": True, "uuidRepresentation": "standard"}
    if "serverselectiontimeoutms" not in uri.lower():
        chosen["serverSelectionTimeoutMS"] = int(settings().server_timeout * 1000)
    try:
        return AsyncMongoClient(uri, **(chosen | options))
    except (PyMongoError, ValueError, TypeError) as error:
        reason = type(error).__name__ if _has_password(uri) else redacted(str(error))
    # Outside the handler, so that the driver's own text, which may quote the URI, is not chained.
    raise ConfigurationError(
        f"the URI {redacted(uri)!r} cannot be used: {reason}",
        hint="mongodb://user:password@host:port/?options, user and password percent-encoded",
    )


def _has_password(uri: str) -> bool:
    return "@" in uri


def _configured_uri() -> str | None:
    uri = settings().uri
    return uri.get_secret_value() if uri is not None else None


def _remote_uri() -> str:
    uri, secret = settings().remote_uri, settings().remote_secret
    if uri is None:
        raise ConfigurationError(
            "no remote server is configured",
            hint="set LOOM_REMOTE_URI, or lm.configure(remote_uri=…)",
        )
    text = uri.get_secret_value()
    return with_secret(text, secret.get_secret_value()) if secret is not None else text


def with_secret(uri: str, secret: str) -> str:
    """Return the URI with the password put in, percent-encoded.

    Raises:
        ConfigurationError: The URI names no user to whom the password could belong.
    """
    parts = urlsplit(uri)
    credentials, _, hosts = parts.netloc.rpartition("@")
    user = credentials.partition(":")[0]
    if not user:
        raise ConfigurationError(
            "LOOM_REMOTE_SECRET is set, but LOOM_REMOTE_URI names no user",
            hint="write LOOM_REMOTE_URI as mongodb://user@host/…",
        )
    rest = uri.split(parts.netloc, 1)[1]
    return f"{parts.scheme}://{user}:{quote(secret, safe='')}@{hosts}{rest}"


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
