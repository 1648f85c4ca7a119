# Generated from loom_async/connection/scope_clients.py by `nox -s sync`: edit that file.
"""The clients that a process opens outside of blocks; they are closed with it."""

from __future__ import annotations

import os
import weakref
from collections.abc import Generator, Mapping
from types import MappingProxyType
from typing import Any

from .. import _concurrency
from .driver_types import Client
from .embedded_fallback import start_embedded_fallback
from .embedded_server import Lease
from .open_client import close_client, open_client

_NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


class _ScopeClients:
    """The clients of one process, and the leases of the embedded servers that they use."""

    def __init__(self) -> None:
        self.lock = _concurrency.Lock()
        #: Opened by operations on first need, by `_key`.
        self.cached: dict[str, Client] = {}
        #: Opened by `open`, which returns a new client each time.
        self.explicit: list[Client] = []
        self.leases: list[Lease] = []
        self.is_closed = False
        self._at_end: Generator[None, None, None] | None = None

    def close(self) -> None:
        """Close the clients, then let their embedded servers stop."""
        clients, leases = [*self.cached.values(), *self.explicit], list(self.leases)
        self.cached.clear()
        self.explicit.clear()
        self.leases.clear()
        for client in clients:
            close_client(client)
        for lease in leases:
            lease.release()

    def close_at_scope_end(self) -> None:
        """Have the clients closed at the end of the process."""
        if self._at_end is None:
            self._at_end = _concurrency.at_scope_end(self.close)

    def forget_scope_end(self) -> None:
        """Have nothing done at the end of the process any more."""
        if self._at_end is not None:
            self._at_end.close()


_of_scopes: weakref.WeakKeyDictionary[Any, _ScopeClients] = weakref.WeakKeyDictionary()


def _forget_after_fork() -> None:
    # The sockets belong to the parent: a child opens its own, and leaves these untouched.
    global _of_scopes
    _of_scopes = weakref.WeakKeyDictionary()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


def find_cached_client(uri: str | None) -> Client | None:
    """Return the client that `cached_client` has opened in this process; None if it has not."""
    clients = _of_scopes.get(_concurrency.client_scope())
    return None if clients is None else clients.cached.get(_key(uri))


def cached_client(uri: str | None, options: Mapping[str, Any] = _NO_OPTIONS) -> Client:
    """Return the client of a server, opened once per process.

    Parameters:
        uri: The server; None for the embedded server in the configured data directory.
        options: Options of pymongo's client.

    Raises:
        ConfigurationError: The URI is malformed, or there is no server.
        EmbeddedServerError: The embedded server did not become ready.
    """
    key = _key(uri, options)
    clients = _clients_of_scope()
    client = clients.cached.get(key)
    if client is not None:
        return client
    with clients.lock:
        if not clients.is_closed:
            if key not in clients.cached:
                clients.close_at_scope_end()
                clients.cached[key] = _open(clients, uri, options)
            return clients.cached[key]
    # `close` was called while this waited for the lock.
    return cached_client(uri, options)


def new_client(uri: str, options: Mapping[str, Any]) -> Client:
    """Return a new client, which `close_scope` or the end of this process closes.

    Raises:
        ConfigurationError: The URI is malformed.
    """
    clients = _clients_of_scope()
    with clients.lock:
        if not clients.is_closed:
            clients.close_at_scope_end()
            client = open_client(uri, **options)
            clients.explicit.append(client)
            return client
    # `close` was called while this waited for the lock.
    return new_client(uri, options)


def close_new_client(client: object) -> None:
    """Close a client that `new_client` has returned in this process; ignore any other."""
    clients = _clients_of_scope()
    # Compared by identity: for pymongo, clients of one server are equal.
    for other in clients.explicit:
        if other is client:
            clients.explicit = [kept for kept in clients.explicit if kept is not client]
            close_client(other)
            return


def close_scope() -> None:
    """Close the clients of this process that no block has opened."""
    clients = _of_scopes.pop(_concurrency.client_scope(), None)
    if clients is None:
        return
    with clients.lock:  # so that a client that is being opened is closed as well
        clients.is_closed = True
        clients.close()
    clients.forget_scope_end()


def _clients_of_scope() -> _ScopeClients:
    scope = _concurrency.client_scope()
    clients = _of_scopes.get(scope)
    return _of_scopes.setdefault(scope, _ScopeClients()) if clients is None else clients


def _key(uri: str | None, options: Mapping[str, Any] = _NO_OPTIONS) -> str:
    return f"{uri} {sorted(options.items())!r}" if options else uri or ""


def _open(clients: _ScopeClients, uri: str | None, options: Mapping[str, Any]) -> Client:
    if uri:
        return open_client(uri, **options)
    lease = start_embedded_fallback()
    clients.leases.append(lease)
    return open_client(lease.uri, event_listeners=lease.listeners)
