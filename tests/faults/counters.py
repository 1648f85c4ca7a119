"""Counters behind a proxy, what is done to them, and how it may fail."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import pytest

import loom_async as lm
from tests.faults.proxy import Proxy, run_proxy

#: The limit that clients are given, and what an operation may take beyond it on a busy machine.
LIMIT, GRACE = 0.6, 1.0
Through: TypeAlias = tuple[Proxy, str]


@lm.declare_persist_db("faults", "counters")
class Counter(lm.Persistable):
    name: str = ""
    count: lm.IncrCounter = 0
    log: list[str] = []


@asynccontextmanager
async def proxied(mongo_uri: str, database: str) -> AsyncIterator[Through]:
    """Give a proxy before the server, and the URI that leads through it; drop the database."""
    with run_proxy(mongo_uri) as (proxy, uri), lm.using(database=database):
        async with lm.connect(mongo_uri) as client:
            yield proxy, uri
            # A transaction whose end could not be told to the server is open there for a minute.
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


async def store_many(counter: Counter) -> None:
    await Counter.persist_many([counter])


async def in_transaction(counter: Counter) -> None:
    async with lm.transaction():
        await counter.delete()


async def failure(operation: Operation, counter: Counter, within: float) -> lm.LoomError:
    """Return the one error of an operation, which has to come in time."""
    start = time.monotonic()
    with pytest.raises(lm.LoomError) as caught:
        await operation(counter)
    assert time.monotonic() - start < within + GRACE
    assert "Topology" not in str(caught.value)
    return caught.value
