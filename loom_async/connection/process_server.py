"""A server for the whole process, as a notebook needs one: a block cannot span its cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .. import _concurrency
from .._core.context import Server
from .._core.process_default import Default, put_default, take_default
from .clients import add_client, close_client_of, close_opened
from .driver_types import Client
from .embedded_server import start_embedded


async def open(uri: str, **options: Any) -> Client:
    """Open a client that every model of the process uses outside of blocks, until `close`.

    A server that was opened so before is replaced, and its client closed. Other event loops, and
    the models of `loom_sync`, open their own clients of this server.

    Parameters:
        uri: A MongoDB URI.
        **options: Options of pymongo's client, as it spells them.

    Returns:
        The open `AsyncMongoClient`.

    Raises:
        ConfigurationError: The URI is malformed; what was open before stays open.

    Example:
        >>> import loom_async as lm
        >>> async def first_cell() -> None:
        ...     client = await lm.open("mongodb://localhost/?replicaSet=rs0")
        >>> async def last_cell() -> None:
        ...     await lm.close()
    """
    client = await add_client(uri, options)
    await _make_default(client, uri, options, _nothing)
    return client


async def open_embedded(data_dir: str | Path | None = None) -> Client:
    """Run the embedded server for every model of the process outside of blocks, until `close`.

    A server that was opened so before is replaced, and its client closed.

    Parameters:
        data_dir: Where the data is kept; None for a temporary directory, which is removed by
            `close` or when the process ends.

    Returns:
        A client of a real single-node replica set.

    Raises:
        ConfigurationError: There is no mongod, or this one does not run here.
        EmbeddedServerError: The server did not become ready.

    Example:
        >>> import loom_async as lm
        >>> async def first_cell() -> None:
        ...     client = await lm.open_embedded()
        >>> async def last_cell() -> None:
        ...     await lm.close()
    """
    directory = Path(data_dir) if data_dir is not None else None
    lease = await start_embedded(directory, temporary=directory is None)
    options = {"event_listeners": lease.listeners}
    try:
        client = await add_client(lease.uri, options)
    except BaseException:
        lease.release()
        raise
    await _make_default(client, lease.uri, options, lease.release)
    return client


async def close() -> None:
    """Close what `open`, `open_embedded` or an operation outside of blocks has opened.

    That is the clients of this event loop, and the default of the process. The next operation
    connects by settings.

    Example:
        >>> import loom_async as lm
        >>> async def shutdown() -> None:
        ...     await lm.close()
    """
    former = take_default(_OWNER)
    try:
        await close_opened()
    finally:
        if former is not None:
            former.release()


_OWNER = __name__


def _nothing() -> None:
    """Release nothing: the server is not ours."""


async def _make_default(
    client: Client, uri: str, options: Mapping[str, Any], release: Callable[[], None]
) -> None:
    server = Server(client, uri, options, _concurrency.client_scope())
    former = put_default(Default(server, _OWNER, release))
    if former is not None:
        await _concurrency.shielded(_end, former)


async def _end(former: Default) -> None:
    try:
        await close_client_of(former.server)
    finally:
        former.release()
