"""Counters behind a proxy: the model, operations on it, and how they fail."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import pytest

import loom_async as lm
from tests.faults.proxy import Proxy, run_proxy

#: Seconds: the time limit of clients, and how much longer an operation may take on a busy machine.
LIMIT, GRACE = 0.6, 1.0
ProxiedServer: TypeAlias = tuple[Proxy, str]


@lm.declare_persist_db("faults", "counters")
class Counter(lm.Persistable):
    name: str = ""
    count: lm.IncrCounter = 0
    log: list[str] = []


@asynccontextmanager
async def connect_proxy(mongo_uri: str, database: str) -> AsyncIterator[ProxiedServer]:
    """Start a proxy to the server, and yield it with its URI; drop the database afterwards."""
    with run_proxy(mongo_uri) as (proxy, uri), lm.using(database=database):
        async with lm.connect(mongo_uri) as client:
            yield proxy, uri
            # The server would keep a transaction open for a minute if its end did not arrive.
            await client.admin.command("killAllSessions", [])
            await client.drop_database(database)


Operation: TypeAlias = Callable[[Counter], Coroutine[Any, Any, None]]


async def load(counter: Counter) -> None:
    await Counter.from_id(counter.id)


async def load_many(counter: Counter) -> None:
    await Counter.filter().load_many()


async def rename(counter: Counter) -> None:
    counter.name = "new"
    await counter.persist()


async def increment(counter: Counter) -> None:
    counter.count += 1
    await counter.persist()


async def increment_many(counter: Counter) -> None:
    counter.count += 1
    await Counter.persist_many([counter, Counter()])


async def persist_many(counter: Counter) -> None:
    await Counter.persist_many([counter])


async def delete_in_transaction(counter: Counter) -> None:
    async with lm.transaction():
        await counter.delete()


async def expect_failure(operation: Operation, counter: Counter, limit: float) -> lm.LoomError:
    """Return the error of an operation, which must be raised in time."""
    start = time.monotonic()
    with pytest.raises(lm.LoomError) as caught:
        await operation(counter)
    assert time.monotonic() - start < limit + GRACE
    assert "Topology" not in str(caught.value)
    return caught.value
