"""Calls that are cancelled while the driver waits for a connection, or for a server."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio

import loom_async as lm
from tests.faults.proxy import run_proxy


async def _cancel_every_iteration(tasks: list[asyncio.Task[Any]]) -> None:
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=0)


async def test_the_pool_works_after_all_waiting_tasks_were_cancelled(
    mongo_uri: str, db: str
) -> None:
    @lm.declare_persist_db(db, "rows")
    class Row(lm.Persistable):
        number: int = 0

    async with lm.connect(mongo_uri, maxPoolSize=1), asyncio.timeout(20):
        await Row().persist()
        slow = lm.raw({"$where": "sleep(300) || true"})
        for _ in range(3):
            holding = asyncio.create_task(Row.filter(slow).load_many())
            await asyncio.sleep(0.1)
            waiting = [asyncio.create_task(Row.filter().count()) for _ in range(50)]
            await asyncio.sleep(0.05)
            await _cancel_every_iteration(waiting)
            assert len(await holding) == 1
            assert await Row.filter().count() == 1


async def test_server_selection_works_after_all_waiting_tasks_were_cancelled(
    mongo_uri: str, db: str
) -> None:
    """They are cancelled at about the moment when the driver checks the server again."""

    @lm.declare_persist_db(db, "rows")
    class Row(lm.Persistable):
        number: int = 0

    with run_proxy(mongo_uri) as (proxy, uri):
        async with lm.connect(uri, heartbeatFrequencyMS=500), asyncio.timeout(60):
            await Row().persist()
            for delay in range(12):
                proxy.cut()
                waiting = [asyncio.create_task(_count(Row)) for _ in range(100)]
                await asyncio.sleep(0.45 + delay / 100)
                await _cancel_every_iteration(waiting)
                proxy.restore()
                assert await Row.filter().count() == 1


async def _count(model: type[lm.Persistable]) -> int:
    with anyio.CancelScope():
        return await model.filter().count()
    return 0
