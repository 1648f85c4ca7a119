# Generated from loom_async/connection/blocks.py by `nox -s sync`: edit that file.
"""Which client and database an operation uses: those of its context, else those of the settings."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from loom_async._core import context
from loom_async._core.model.declaration import check_database_name

from .. import _concurrency
from .clients import close_client, configured_uri, open_client
from .driver_types import Client
from .embedded_fallback import start_embedded_fallback
from .embedded_server import start_embedded


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
            lease = stack.enter_context(start_embedded_fallback())
            target, given = lease.uri, options.get("event_listeners", ())
            options["event_listeners"] = [*given, *lease.listeners]
        client = open_client(target, **options)
        server = context.Server(client, target, options, _concurrency.client_scope())
        stack.enter_context(context.server.set(server, shared=_concurrency.is_script()))
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
        shared = _concurrency.is_script()
        if database is not None:
            name = check_database_name(database)
            stack.enter_context(context.database.set(name, shared=shared))
        if client is not None:
            server = context.Server(client, outer=context.server.get())
            stack.enter_context(context.server.set(server, shared=shared))
        yield
