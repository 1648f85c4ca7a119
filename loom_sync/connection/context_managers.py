# Generated from loom_async/connection/context_managers.py by `nox -s sync`: edit that file.
"""`connect`, `embedded` and `using`: blocks that choose the client and database of operations."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from loom_async._core import context
from loom_async._core.model.declaration import check_database_name
from loom_async._core.server_uris import local_uri

from .. import _concurrency
from .driver_types import Client
from .embedded_fallback import start_embedded_fallback
from .embedded_server import start_embedded
from .open_client import close_client, open_client


@contextmanager
def connect(uri: str | None = None, **options: Any) -> Generator[Client]:
    """Open a client that every model of this thread uses until the block ends.

    Parameters:
        uri: A MongoDB URI; None uses the server of the settings.
        **options: Options of `MongoClient`, by pymongo's names.

    Yields:
        The open `MongoClient`.

    Raises:
        ConfigurationError: The URI is malformed; or there is none, and the setting `embedded` is
            "never".
        EmbeddedServerError: The embedded server did not become ready.

    Example:
        >>> import loom_sync as lm
        >>> def main() -> None:
        ...     with lm.connect("mongodb://localhost/?replicaSet=rs0") as client:
        ...         print(client.server_info())
    """
    with ExitStack() as stack:
        address = uri if uri is not None else local_uri()
        if address is None:
            lease = stack.enter_context(start_embedded_fallback())
            address, listeners = lease.uri, options.get("event_listeners", ())
            options["event_listeners"] = [*listeners, *lease.listeners]
        client = open_client(address, **options)
        server = context.Server(client, address, options, _concurrency.client_scope())
        stack.enter_context(context.server.set(server, shared=_concurrency.is_script()))
        try:
            yield client
        finally:
            close_client(client)


@contextmanager
def embedded(data_dir: str | Path | None = None) -> Generator[Client]:
    """Run the embedded server for every model of this thread until the block ends.

    Parameters:
        data_dir: The directory of the data; None for a temporary one, which is deleted.

    Yields:
        A client of the server, a replica set with one member.

    Raises:
        ConfigurationError: No mongod was found, or it cannot run on this system.
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
    """Set the client, the database, or both, for every model of this thread until the block ends.

    Parameters:
        client: An open client; the caller closes it.
        database: The database for every model, instead of its declared one.

    Raises:
        ConfigurationError: MongoDB does not accept the name of the database.

    Example:
        >>> import loom_sync as lm
        >>> with lm.using(database="tenant_42"):
        ...     pass
    """
    with ExitStack() as stack:
        shared = _concurrency.is_script()
        if database is not None:
            name = check_database_name(database)
            stack.enter_context(context.database.set(name, shared=shared))
        if client is not None:
            server = context.Server(client, outer=context.server.get())
            stack.enter_context(context.server.set(server, shared=shared))
        yield
