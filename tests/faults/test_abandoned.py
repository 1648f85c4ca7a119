"""Streams that nobody reads to their end, and blocks that fail, leave nothing open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import pytest

import loom_async as lm
from loom_async import _concurrency
from tests.aio._concurrency import gathered
from tests.faults.leftovers import Observer, PoolWatch, observing

DATABASE = f"faults_{__name__.replace('.', '_')}"


@lm.declare_persist_db("faults", "rows")
class Row(lm.PersistableBase):
    number: int
    text: str = "x" * 200


class Interrupted(Exception):
    pass


@pytest.fixture
async def observer(mongo_uri: str) -> AsyncIterator[Observer]:
    watch = PoolWatch()
    async with lm.connect(mongo_uri, event_listeners=[watch]) as client:
        with lm.using(database=DATABASE), observing(mongo_uri, watch) as found:
            await Row.persist_many([Row(number=n) for n in range(12_000)])
            yield found
        await client.drop_database(DATABASE)


async def leave_early(count: int) -> None:
    async for row in Row.filter(lm.fld["number"] >= 0).stream():
        if row.number >= count:
            break


async def fail_in_a_stream() -> None:
    with pytest.raises(Interrupted):
        await _read_and_fail()


async def _read_and_fail() -> None:
    async for _ in Row.filter().sort("number").stream():
        raise Interrupted


async def fail_in_a_transaction(number: int) -> None:
    with pytest.raises(Interrupted):
        await _write_and_fail(number)


async def _write_and_fail(number: int) -> None:
    async with lm.transaction():
        await Row(number=-number).persist()
        await leave_early(number)
        raise Interrupted


async def test_streams_left_early(observer: Observer) -> None:
    before = observer.open()
    await gathered(*(partial(leave_early, 900 * n) for n in range(8)))
    await gathered(*[fail_in_a_stream] * 8)
    # In another thread: the event loop closes what its tasks have dropped.
    assert await _concurrency.in_thread(observer.settled, before) == before


async def test_transactions_that_fail(observer: Observer) -> None:
    before = observer.open()
    await gathered(*(partial(fail_in_a_transaction, 900 * n) for n in range(1, 8)))
    assert await _concurrency.in_thread(observer.settled, before) == before
    assert not await Row.filter(lm.fld["number"] < 0).exists()
