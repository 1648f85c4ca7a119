# Generated from loom_async/connection/open_and_close.py by `nox -s sync`: edit that file.
"""`open` and `close`: the server of the process, for notebooks, whose cells no block can span."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from loom_async._core.context import Server
from loom_async._core.process_default import DefaultServer, replace_default, take_default

from .. import _concurrency
from .driver_types import Client
from .embedded_server import start_embedded
from .scope_clients import close_new_client, close_scope, new_client


def open(uri: str, **options: Any) -> Client:
    """Open a client that every model of the process uses outside of blocks, until `close`.

    It replaces the server of an earlier `open` or `open_embedded`, whose client is closed. Other
    event loops, and the models of `loom_sync`, open their own clients of this server.

    Parameters:
        uri: A MongoDB URI.
        **options: Options of `MongoClient`, by pymongo's names.

    Returns:
        The open `MongoClient`.

    Raises:
        ConfigurationError: The URI is malformed; the earlier server stays open.

    Example:
        >>> import loom_sync as lm
        >>> def first_cell() -> None:
        ...     client = lm.open("mongodb://localhost/?replicaSet=rs0")
        >>> def last_cell() -> None:
        ...     lm.close()
    """
    client = new_client(uri, options)
    _make_default(client, uri, options, _release_nothing)
    return client


def open_embedded(data_dir: str | Path | None = None) -> Client:
    """Run the embedded server for every model of the process outside of blocks, until `close`.

    It replaces the server of an earlier `open` or `open_embedded`, whose client is closed.

    Parameters:
        data_dir: The directory of the data; None for a temporary one, which is deleted by `close`
            or when the process ends.

    Returns:
        A client of the server, a replica set with one member.

    Raises:
        ConfigurationError: No mongod was found, or it cannot run on this system.
        EmbeddedServerError: The server did not become ready.

    Example:
        >>> import loom_sync as lm
        >>> def first_cell() -> None:
        ...     client = lm.open_embedded()
        >>> def last_cell() -> None:
        ...     lm.close()
    """
    directory = Path(data_dir) if data_dir is not None else None
    lease = start_embedded(directory, temporary=directory is None)
    options = {"event_listeners": lease.listeners}
    try:
        client = new_client(lease.uri, options)
    except BaseException:
        lease.release()
        raise
    _make_default(client, lease.uri, options, lease.release)
    return client


def close() -> None:
    """Close the clients that this process opened outside of blocks.

    They include the client of `open` or `open_embedded`, whose server is no longer used: the next
    operation connects by the settings.

    Example:
        >>> import loom_sync as lm
        >>> def shutdown() -> None:
        ...     lm.close()
    """
    former = take_default(_OWNER)
    try:
        close_scope()
    finally:
        if former is not None:
            former.release()


# Tells the servers that this package opens from those of the other package.
_OWNER = __name__


def _release_nothing() -> None:
    """Do nothing: the server was not started by `open`."""


def _make_default(
    client: Client, uri: str, options: Mapping[str, Any], release: Callable[[], None]
) -> None:
    server = Server(client, uri, options, _concurrency.client_scope())
    former = replace_default(DefaultServer(server, _OWNER, release))
    if former is not None:
        _concurrency.shielded(_close_former, former)


def _close_former(former: DefaultServer) -> None:
    try:
        close_new_client(former.server.client)
    finally:
        former.release()
