"""One object, used by tasks outside and inside transactions at the same time."""

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


class Aborted(Exception):
    pass


@pytest.mark.parametrize("has_edits", [False, True])
async def test_a_transaction_is_aborted_during_a_save_outside(db: str, has_edits: bool) -> None:
    """Only the edits of the transaction are undone; a save that began before it stays."""
    await (shared := Item()).persist()

    async def abort() -> None:
        with pytest.raises(Aborted):
            await change_and_fail()

    async def change_and_fail() -> None:
        async with lm.transaction():
            if has_edits:
                shared.count += 100
                shared.name = "aborted"
            await shared.persist()
            raise Aborted

    for _ in range(20):
        shared.count += 1
        await asyncio.gather(shared.persist(), abort())
    await shared.persist()
    assert (shared.count, shared.name) == (20, "")
    assert (await shared.reload()).count == 20


async def test_random_saves_and_transactions(db: str) -> None:
    """Each increment that was not aborted is counted once, in any order."""
    seed = random.randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)
    await (shared := Item()).persist()
    committed = 0

    async def plain() -> None:
        nonlocal committed
        await asyncio.sleep(rng.random() * 0.02)
        shared.count += 1
        committed += 1
        await shared.persist()

    async def transaction(*, is_committed: bool) -> None:
        nonlocal committed
        await asyncio.sleep(rng.random() * 0.02)
        other = await Item.from_id(shared.id)
        assert other is not None
        async with lm.transaction():
            await shared.persist()
            if not is_committed:
                raise Aborted

    for _ in range(5):
        tasks: list[Any] = [plain() for _ in range(10)]
        tasks += [transaction(is_committed=rng.random() < 0.5) for _ in range(3)]
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            assert outcome is None or isinstance(outcome, Aborted | lm.TransactionAborted)
    await shared.persist()
    assert shared.count == committed
    assert (await shared.reload()).count == committed


async def test_a_save_outside_a_transaction_waits_until_a_timeout(db: str) -> None:
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
    """Even if the caller is cancelled repeatedly."""
    is_done = False

    async def work() -> None:
        nonlocal is_done
        await asyncio.sleep(0.05)
        is_done = True

    task = asyncio.create_task(_concurrency.shielded(work))
    while not task.done():
        await asyncio.sleep(0)
        task.cancel()
    assert is_done
    assert task.cancelled()
