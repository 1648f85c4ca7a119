"""The embedded server of a test run, started and stopped outside the event loops of tests."""

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
    """Drops the databases of tests that have ended, in threads.

    A drop takes about 0.1 s, most of which the server waits for its journal, so that other tests
    can run at the same time.

    Parameters:
        client: A client of the server.
        pool: The threads that wait for the drops.
    """

    def __init__(self, client: MongoClient[dict[str, Any]], pool: ThreadPoolExecutor) -> None:
        self._client = client
        self._pool = pool
        self._drops: list[Future[None]] = []

    def drop_later(self, name: str) -> None:
        """Drop a database without waiting for it."""
        self._drops.append(self._pool.submit(self._client.drop_database, name))

    def stop(self) -> None:
        """Cancel the remaining drops, since the server ends; raise the errors of the others."""
        self._pool.shutdown(cancel_futures=True)
        for drop in self._drops:
            if not drop.cancelled():
                drop.result()


@contextmanager
def dropping_databases(uri: str) -> Iterator[Databases]:
    """Yield an object that drops databases of a server, which ends after the block."""
    with MongoClient[dict[str, Any]](uri) as client, ThreadPoolExecutor(2, "drop") as pool:
        databases = Databases(client, pool)
        yield databases
        databases.stop()
