"""Cancelled tasks leave no cursor, transaction or connection open, whenever it happens."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

import loom_async as lm
from tests.faults.leftovers import Observer, PoolWatch, observe

DATABASE = "faults_cancelling"
DOCUMENTS = 6_000
REPEATS = 40


@lm.declare_persist_db("faults", "rows")
class Row(lm.PersistableBase):
    number: int
    text: str = "x" * 200


@lm.declare_persist_db("faults", "halves")
class Half(lm.PersistableBase):
    pair: str
    count: lm.IncrCounter = 0


@pytest.fixture
async def observer(mongo_uri: str) -> AsyncIterator[Observer]:
    watch = PoolWatch()
    async with lm.connect(mongo_uri, event_listeners=[watch]) as client:
        with lm.using(database=DATABASE), observe(mongo_uri, watch) as observer:
            await Row.persist_many([Row(number=n) for n in range(DOCUMENTS)])
            await Half(pair="creates the collection").persist()
            yield observer
        await client.drop_database(DATABASE)


async def cancel_repeatedly(operation: Callable[[], Awaitable[object]]) -> int:
    """Cancel an operation at random moments; return how often it completed before."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    await operation()
    seconds = loop.time() - start
    completed = 0
    for _ in range(REPEATS):
        task = asyncio.ensure_future(operation())
        await asyncio.sleep(random.random() * seconds)
        task.cancel()
        (result,) = await asyncio.gather(task, return_exceptions=True)
        assert result is None or isinstance(result, asyncio.CancelledError), repr(result)
        completed += result is None
    return completed


async def load() -> None:
    assert len(await Row.filter().load_many()) == DOCUMENTS


async def stream() -> None:
    numbers = [row.number async for row in Row.filter().stream()]
    assert len(numbers) == DOCUMENTS


async def load_concurrently() -> None:
    await asyncio.gather(*(Row.filter(lm.fld["number"] < 600).load_many() for _ in range(4)))


@pytest.mark.parametrize("operation", [load, stream, load_concurrently])
async def test_cancelled_reads(
    observer: Observer, operation: Callable[[], Awaitable[None]]
) -> None:
    before = observer.open_resources()
    await cancel_repeatedly(operation)
    assert await asyncio.to_thread(observer.wait_for, before) == before


async def test_cancelled_transactions(observer: Observer) -> None:
    """Wherever the block was cancelled, both halves of a pair are stored or none."""
    before = observer.open_resources()

    async def write() -> None:
        pair = str(random.random())
        async with lm.transaction():
            await Half(pair=pair).persist()
            async for _ in Row.filter().limit(300).stream():
                pass
            await Half(pair=pair).persist()

    completed = await cancel_repeatedly(write)
    assert await asyncio.to_thread(observer.wait_for, before) == before
    pairs = await Half.filter().distinct("pair")
    assert await Half.filter().count() == 2 * len(pairs) - 1
    assert len(pairs) >= completed + 2


async def test_cancelled_commits(observer: Observer) -> None:
    """A block that is cancelled while it commits is committed as a whole or not at all."""
    before = observer.open_resources()
    for _ in range(REPEATS):
        pair, written = str(random.random()), asyncio.Event()

        async def write(pair: str = pair, written: asyncio.Event = written) -> None:
            async with lm.transaction():
                await Half.persist_many([Half(pair=pair), Half(pair=pair)])
                written.set()

        task = asyncio.create_task(write())
        await written.wait()
        await asyncio.sleep(random.random() * 0.003)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await Half.filter(lm.fld["pair"] == pair).count() in (0, 2)
    assert await asyncio.to_thread(observer.wait_for, before) == before


async def test_a_cancelled_increment_is_made_once_at_most(observer: Observer) -> None:
    half = Half(pair="counted")
    await half.persist()
    certain = uncertain = 0
    for _ in range(REPEATS):
        half.count += 1
        task = asyncio.create_task(half.persist())
        await asyncio.sleep(random.random() * 0.003)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        try:
            await half.persist()  # sends the increment if it has not been sent
            certain += 1
        except lm.OutcomeUnknown:
            uncertain += 1
            await half.reload()
    assert certain <= (await half.reload()).count <= certain + uncertain
