"""One object, used by plain tasks and by transactions of other tasks at the same time."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

import loom_async as lm
from loom_async import _concurrency


@lm.declare_persist_db("shared", "items")
class Item(lm.Persistable):
    count: lm.IncrCounter = 0
    name: str = ""


class Undone(Exception):
    pass


@pytest.mark.parametrize("is_assigned", [False, True])
async def test_a_transaction_is_undone_beside_a_plain_task(db: str, is_assigned: bool) -> None:
    """Undone is what the transaction did: a write that was under way when it began stays."""
    await (shared := Item()).persist()

    async def undone() -> None:
        with pytest.raises(Undone):
            await change_and_fail()

    async def change_and_fail() -> None:
        async with lm.transaction():
            if is_assigned:
                shared.count += 100
                shared.name = "undone"
            await shared.persist()
            raise Undone

    for _ in range(20):
        shared.count += 1
        await asyncio.gather(shared.persist(), undone())
    await shared.persist()
    assert (shared.count, shared.name) == (20, "")
    assert (await shared.reload()).count == 20


async def test_random_schedules(db: str) -> None:
    """Every increment that was not undone is counted once, in any order."""
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    await (shared := Item()).persist()
    kept = 0

    async def plain() -> None:
        nonlocal kept
        await asyncio.sleep(chance.random() * 0.02)
        shared.count += 1
        kept += 1
        await shared.persist()

    async def transaction(*, is_kept: bool) -> None:
        nonlocal kept
        await asyncio.sleep(chance.random() * 0.02)
        other = await Item.from_id(shared.id)
        assert other is not None
        async with lm.transaction():
            await shared.persist()
            if not is_kept:
                raise Undone

    for _ in range(5):
        tasks: list[Any] = [plain() for _ in range(10)]
        tasks += [transaction(is_kept=chance.random() < 0.5) for _ in range(3)]
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            assert outcome is None or isinstance(outcome, Undone | lm.TransactionAborted)
    await shared.persist()
    assert shared.count == kept
    assert (await shared.reload()).count == kept


async def test_a_plain_task_does_not_wait_without_end(db: str) -> None:
    await (shared := Item()).persist()
    begun, end = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with lm.transaction():
            shared.count += 1
            await shared.persist()
            begun.set()
            await end.wait()

    holding = asyncio.create_task(hold())
    await begun.wait()
    with lm.config_context(transaction_timeout=0.1), pytest.raises(lm.ObjectInUse):
        await shared.persist()
    end.set()
    await holding
    assert not await shared.persist()


async def test_shielded_work_ends_before_its_caller(db: str) -> None:
    """However often the caller is cancelled."""
    ended = False

    async def work() -> None:
        nonlocal ended
        await asyncio.sleep(0.05)
        ended = True

    task = asyncio.create_task(_concurrency.shielded(work))
    while not task.done():
        await asyncio.sleep(0)
        task.cancel()
    assert ended
    assert task.cancelled()
