"""Streams that are not read to the end, and transactions that fail, leave nothing open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import pytest

import loom_async as lm
from loom_async import _concurrency
from tests.aio._concurrency import gathered
from tests.faults.leftovers import Observer, PoolWatch, observe

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
        with lm.using(database=DATABASE), observe(mongo_uri, watch) as observer:
            await Row.persist_many([Row(number=n) for n in range(12_000)])
            yield observer
        await client.drop_database(DATABASE)


async def break_early(count: int) -> None:
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
        await break_early(number)
        raise Interrupted


async def test_streams_that_are_not_read_to_the_end(observer: Observer) -> None:
    before = observer.open_resources()
    await gathered(*(partial(break_early, 900 * n) for n in range(8)))
    await gathered(*[fail_in_a_stream] * 8)
    # In a thread, so that the event loop can close the generators that its tasks have dropped.
    assert await _concurrency.in_thread(observer.wait_for, before) == before


async def test_transactions_with_unfinished_streams(observer: Observer) -> None:
    before = observer.open_resources()
    await gathered(*(partial(fail_in_a_transaction, 900 * n) for n in range(1, 8)))
    assert await _concurrency.in_thread(observer.wait_for, before) == before
    assert not await Row.filter(lm.fld["number"] < 0).exists()
