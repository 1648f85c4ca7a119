"""Clients opened on first need: one for each server and event loop, closed with it."""

from __future__ import annotations

import os
import weakref
from collections.abc import AsyncGenerator, Mapping
from types import MappingProxyType
from typing import Any, TypeGuard

from pydantic import SecretStr
from pymongo import AsyncMongoClient, timeout
from pymongo.errors import PyMongoError

from .. import _concurrency
from .._core import context
from .._core.context import Server
from .._core.errors import ConfigurationError
from .._core.settings import setting, settings
from .._core.uri import problem, shown, with_secret
from .driver_types import Client
from .drop_reporting import drop_reporting_client
from .embedded_fallback import start_embedded_fallback
from .embedded_server import Lease

# What closes a client is not kept waiting for a server that does not answer.
_SECONDS_TO_CLOSE = 2.0
_NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


class _Opened:
    """The clients that one event loop opened lazily, by URI; '' is the embedded server's."""

    def __init__(self) -> None:
        self.lock = _concurrency.Lock()
        self.clients: dict[str, Client] = {}
        self.named: list[Client] = []  # by `open`, which wants a new one each time
        self.leases: list[Lease] = []
        self.is_closed = False
        self.closer: AsyncGenerator[None, None] | None = None

    async def close(self) -> None:
        clients, leases = [*self.clients.values(), *self.named], list(self.leases)
        self.clients.clear()
        self.named.clear()
        self.leases.clear()
        for client in clients:
            await close_client(client)
        for lease in leases:
            lease.release()


_opened: weakref.WeakKeyDictionary[Any, _Opened] = weakref.WeakKeyDictionary()


def _forget_after_fork() -> None:
    # Sockets are the parent's: the child opens its own and leaves these untouched.
    global _opened
    _opened = weakref.WeakKeyDictionary()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


async def close_opened() -> None:
    """Close the clients of this event loop that no block has opened."""
    opened = _opened.pop(_concurrency.client_scope(), None)
    if opened is None:
        return
    async with opened.lock:  # so that a client that is being opened is closed as well
        opened.is_closed = True
        await opened.close()
    if opened.closer is not None:
        await opened.closer.aclose()


async def get_async_local_db_client() -> Client:
    """Return the client that models use here, those with `remote_db=True` left aside.

    Inside a block it is the block's; else that of `LOOM_URI`, or of the embedded server, which is
    opened once per event loop.

    Raises:
        ConfigurationError: `using` was given a client of another kind; or there is no server.
        EmbeddedServerError: The embedded server did not become ready.

    Example:
        >>> import loom_async as lm
        >>> async def main() -> None:
        ...     client = await lm.get_async_local_db_client()
        ...     print(await client.server_info())
    """
    server = context.server.get()
    return await (configured_client(remote=False) if server is None else client_of(server))


async def get_async_remote_db_client() -> Client:
    """Return the client of `LOOM_REMOTE_URI`; opened once per event loop.

    Raises:
        ConfigurationError: `LOOM_REMOTE_URI` is not set.

    Example:
        >>> import loom_async as lm
        >>> async def main() -> None:
        ...     client = await lm.get_async_remote_db_client()
    """
    return await configured_client(remote=True)


async def configured_client(*, remote: bool) -> Client:
    """Return the client of the settings, opened once per event loop.

    Raises:
        ConfigurationError: `LOOM_REMOTE_URI` is not set, and is asked for; or there is no server.
    """
    return await _cached_client(_remote_uri() if remote else configured_uri() or "")


def opened_client(*, remote: bool) -> Client | None:
    """Return the client of the settings, if this event loop has opened it.

    Raises:
        ConfigurationError: `LOOM_REMOTE_URI` is not set, and is asked for.
    """
    opened = _opened.get(_concurrency.client_scope())
    if opened is None:
        return None
    return opened.clients.get(_remote_uri() if remote else configured_uri() or "")


def is_client(value: object) -> TypeGuard[Client]:
    """Say whether something is a client that these operations can use."""
    return isinstance(value, AsyncMongoClient)


def own_client(server: Server) -> Client | None:
    """Return the client of a block, if it is one that these operations can use here."""
    is_near = server.scope is None or server.scope is _concurrency.client_scope()
    return server.client if is_near and is_client(server.client) else None


async def client_of(server: Server) -> Client:
    """Return a block's client or, where that is another event loop's, one of the same server.

    Raises:
        ConfigurationError: The block was given a client of another kind, without its address.
    """
    own = own_client(server)
    if own is not None:
        return own
    if server.uri is not None:
        return await _cached_client(server.uri, server.options)
    for client in server.given():
        if is_client(client):
            return client
    raise ConfigurationError(
        "this operation needs an AsyncMongoClient, which using() was not given: it has "
        f"{type(server.client).__name__}",
        hint="give it one by a using() of its own, or connect by URI, which serves both kinds",
    )


async def add_client(uri: str, options: Mapping[str, Any]) -> Client:
    """Return a new client, which `close_opened` or the end of this event loop closes.

    Raises:
        ConfigurationError: The URI is malformed.
    """
    opened = _opened_here()
    async with opened.lock:
        if not opened.is_closed:
            await _ensure_closer(opened)
            client = open_client(uri, **options)
            opened.named.append(client)
            return client
    # Closed while this waited for the lock: begin anew.
    return await add_client(uri, options)


async def close_client_of(server: Server) -> None:
    """Close the client that `add_client` has made for a server, where this event loop has it."""
    client = own_client(server)
    if client is not None:
        opened = _opened_here()
        # By identity: pymongo takes clients of one server for equal.
        opened.named = [other for other in opened.named if other is not client]
        await close_client(client)


def _opened_here() -> _Opened:
    scope = _concurrency.client_scope()
    found = _opened.get(scope)
    return _opened.setdefault(scope, _Opened()) if found is None else found


async def _cached_client(uri: str, options: Mapping[str, Any] = _NO_OPTIONS) -> Client:
    opened = _opened_here()
    key = _key(uri, options)
    client = opened.clients.get(key)
    if client is not None:
        return client
    async with opened.lock:
        if not opened.is_closed:
            if key not in opened.clients:
                opened.clients[key] = await _open_lazily(opened, uri, options)
            return opened.clients[key]
    # Closed while this waited for the lock: begin anew.
    return await _cached_client(uri, options)


def _key(uri: str, options: Mapping[str, Any]) -> str:
    return f"{uri} {sorted(options.items())!r}" if options else uri


async def _open_lazily(opened: _Opened, uri: str, options: Mapping[str, Any]) -> Client:
    await _ensure_closer(opened)
    if uri:
        return open_client(uri, **options)
    lease = await start_embedded_fallback()
    opened.leases.append(lease)
    return open_client(lease.uri, event_listeners=lease.listeners)


async def _ensure_closer(opened: _Opened) -> None:
    if opened.closer is None:
        opened.closer = await _concurrency.at_scope_end(opened.close)


def open_client(uri: str, **options: Any) -> Client:
    """Return a client with Loom's codec options and time limits.

    Raises:
        ConfigurationError: The URI is malformed; its password is in no part of the error.
    """
    chosen: dict[str, Any] = {"tz_aware": True, "uuidRepresentation": "standard"}
    if "serverselectiontimeoutms" not in uri.lower():
        chosen["serverSelectionTimeoutMS"] = int(settings().server_timeout * 1000)
    try:
        return drop_reporting_client(uri, **(chosen | options))
    except (PyMongoError, ValueError, TypeError) as error:
        reason = problem(uri, error)
    # Outside the handler, so that the driver's own text, which may quote the URI, is not chained.
    raise ConfigurationError(
        f"the URI {shown(uri)!r} cannot be used: {reason}",
        hint="mongodb://user:password@host:port/?options, user and password percent-encoded",
    )


async def close_client(client: Client) -> None:
    """Close a client, without waiting long for a server that is away.

    pymongo tells the server which sessions have ended, and would wait for it for the whole time
    that an operation may.
    """
    with timeout(_SECONDS_TO_CLOSE):
        await client.close()


def configured_uri() -> str | None:
    """Return the URI that the settings give; None means the embedded server."""
    uri: SecretStr | None = setting("uri")
    return uri.get_secret_value() if uri is not None else None


def _remote_uri() -> str:
    uri: SecretStr | None = setting("remote_uri")
    secret: SecretStr | None = setting("remote_secret")
    if uri is None:
        raise ConfigurationError(
            "no remote server is configured",
            hint="set LOOM_REMOTE_URI, or lm.configure(remote_uri=…)",
        )
    text = uri.get_secret_value()
    return with_secret(text, secret.get_secret_value()) if secret is not None else text


async def server_kinds(client: Client) -> set[str]:
    """Return the kinds of a client's servers, as the driver names them; at least one is known."""
    if _known_kinds(client) <= {"Unknown"}:
        await client.admin.command("ping")
    return _known_kinds(client)


def _known_kinds(client: Client) -> set[str]:
    servers = client.topology_description.server_descriptions().values()
    return {server.server_type_name for server in servers}
