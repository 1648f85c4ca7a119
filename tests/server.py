"""The embedded server for a whole test run, started and stopped outside any test's event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient

from loom_async.connection.embedded_server import start_embedded


@contextmanager
def run_server() -> Iterator[str]:
    """Yield the URI of a temporary server."""
    lease = asyncio.run(start_embedded(None, temporary=True))
    try:
        yield lease.uri
    finally:
        lease.release()


class Databases:
    """The databases of tests that have ended, on their way out.

    The server drops one in a tenth of a second, most of which it waits for its journal: other tests
    run meanwhile.

    Parameters:
        client: A client of the server.
        pool: Where the waiting is done.
    """

    def __init__(self, client: MongoClient[dict[str, Any]], pool: ThreadPoolExecutor) -> None:
        self._client = client
        self._pool = pool
        self._drops: list[Future[None]] = []

    def drop_later(self, name: str) -> None:
        """Drop a database, without waiting for it."""
        self._drops.append(self._pool.submit(self._client.drop_database, name))

    def stop(self) -> None:
        """Leave the rest, which go with the server; what has failed is raised."""
        self._pool.shutdown(cancel_futures=True)
        for drop in self._drops:
            if not drop.cancelled():
                drop.result()


@contextmanager
def dropping_databases(uri: str) -> Iterator[Databases]:
    """Give what drops databases of a server that ends soon after the block."""
    with MongoClient[dict[str, Any]](uri) as client, ThreadPoolExecutor(2, "drop") as pool:
        databases = Databases(client, pool)
        yield databases
        databases.stop()
