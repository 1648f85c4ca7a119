"""Tasks that are cancelled at any moment leave no cursor, transaction or connection behind."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

import loom_async as lm
from tests.faults.leftovers import Observer, PoolWatch, observing

DATABASE = "faults_cancelling"
DOCUMENTS = 6_000
TIMES = 40


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
        with lm.using(database=DATABASE), observing(mongo_uri, watch) as found:
            await Row.persist_many([Row(number=n) for n in range(DOCUMENTS)])
            await Half(pair="to make the collection").persist()
            yield found
        await client.drop_database(DATABASE)


async def cancel_again_and_again(work: Callable[[], Awaitable[object]]) -> int:
    """Cancel something at random moments of the time it takes; return how often it ended."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    await work()
    seconds = loop.time() - start
    ended = 0
    for _ in range(TIMES):
        task = asyncio.ensure_future(work())
        await asyncio.sleep(random.random() * seconds)
        task.cancel()
        (result,) = await asyncio.gather(task, return_exceptions=True)
        assert result is None or isinstance(result, asyncio.CancelledError), repr(result)
        ended += result is None
    return ended


async def load() -> None:
    assert len(await Row.filter().load_many()) == DOCUMENTS


async def stream() -> None:
    numbers = [row.number async for row in Row.filter().stream()]
    assert len(numbers) == DOCUMENTS


async def at_once() -> None:
    await asyncio.gather(*(Row.filter(lm.fld["number"] < 600).load_many() for _ in range(4)))


@pytest.mark.parametrize("work", [load, stream, at_once])
async def test_cancelled_reads(observer: Observer, work: Callable[[], Awaitable[None]]) -> None:
    before = observer.open()
    await cancel_again_and_again(work)
    assert await asyncio.to_thread(observer.settled, before) == before


async def test_cancelled_transactions(observer: Observer) -> None:
    """Both halves of a pair are there, or none, wherever the block was cancelled."""
    before = observer.open()

    async def write() -> None:
        pair = str(random.random())
        async with lm.transaction():
            await Half(pair=pair).persist()
            async for _ in Row.filter().limit(300).stream():
                pass
            await Half(pair=pair).persist()

    ended = await cancel_again_and_again(write)
    assert await asyncio.to_thread(observer.settled, before) == before
    pairs = await Half.filter().distinct("pair")
    assert await Half.filter().count() == 2 * len(pairs) - 1
    assert len(pairs) >= ended + 2


async def test_cancelled_commits(observer: Observer) -> None:
    """A block that is cancelled while it commits says so, and is committed or not as a whole."""
    before = observer.open()
    for _ in range(TIMES):
        pair, begun = str(random.random()), asyncio.Event()

        async def write(pair: str = pair, begun: asyncio.Event = begun) -> None:
            async with lm.transaction():
                await Half.persist_many([Half(pair=pair), Half(pair=pair)])
                begun.set()

        task = asyncio.create_task(write())
        await begun.wait()
        await asyncio.sleep(random.random() * 0.003)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await Half.filter(lm.fld["pair"] == pair).count() in (0, 2)
    assert await asyncio.to_thread(observer.settled, before) == before


async def test_a_cancelled_increment_is_not_made_twice(observer: Observer) -> None:
    half = Half(pair="counted")
    await half.persist()
    sure = unsure = 0
    for _ in range(TIMES):
        half.count += 1
        task = asyncio.create_task(half.persist())
        await asyncio.sleep(random.random() * 0.003)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        try:
            await half.persist()  # what has not been sent is sent now
            sure += 1
        except lm.OutcomeUnknown:
            unsure += 1
            await half.reload()
    assert sure <= (await half.reload()).count <= sure + unsure
