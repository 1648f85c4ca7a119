"""Change streams of tasks that are cancelled, and of blocking code beside them."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import AsyncExitStack
from contextvars import copy_context
from typing import Any

import pytest

import loom_async as lm
import loom_sync
from tests.cursors import open_cursors
from tests.proxy import proxy_of


@lm.declare_persist_db("loom_watch", "rows")
class Row(lm.PersistableBase):
    number: int


@loom_sync.declare_persist_db("loom_watch", "rows")
class SyncRow(loom_sync.PersistableBase):
    number: int


async def no_cursor(client: Any, db: str) -> bool:
    """Say whether the last cursor goes: the server ends its wait of a second first."""
    end = time.monotonic() + 5.0  # a cursor that is forgotten stays for ten minutes
    while await (await client.admin.aggregate(open_cursors(db))).to_list():
        if time.monotonic() > end:
            return False
    return True


async def watch_all(seen: list[int]) -> None:
    async for change in Row.watch():
        assert change.document is not None
        seen.append(change.document.number)


async def watched(client: Any, db: str) -> None:
    waiting = True
    while waiting:
        waiting = not await (await client.admin.aggregate(open_cursors(db))).to_list()


async def test_cancelling_a_waiting_task_closes_its_cursor(client: Any, db: str) -> None:
    seen: list[int] = []
    task = asyncio.create_task(watch_all(seen))
    await watched(client, db)
    await Row(number=1).persist()
    await asyncio.sleep(0.3)
    begun = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - begun < 0.5
    assert await no_cursor(client, db)
    assert seen == [1]


@pytest.mark.parametrize("delay", [0, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.012])
async def test_cancelling_it_at_any_time_leaves_nothing(
    client: Any, db: str, mongo_uri: str, delay: float
) -> None:
    """While it connects too, when pymongo swallows a cancellation now and then."""
    for n in range(16):
        async with AsyncExitStack() as stack:
            if n % 2:
                await stack.enter_async_context(lm.connect(mongo_uri))
            task = asyncio.create_task(watch_all([]))
            await asyncio.sleep(delay)
            task.cancel()
            await asyncio.wait([task], timeout=5)
            assert task.cancelled()
    assert await no_cursor(client, db)


async def test_a_task_cancelled_twice_leaves_nothing(client: Any, db: str) -> None:
    task = asyncio.create_task(watch_all([]))
    await watched(client, db)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await no_cursor(client, db)


async def test_waiting_for_a_time_loses_nothing(client: Any, db: str) -> None:
    async def write() -> None:
        for n in range(200):
            await Row(number=n).persist()

    seen: list[int] = []
    late = 0
    async with Row.watch() as changes:
        writing = asyncio.create_task(write())
        while len(seen) < 200:
            try:
                change = await asyncio.wait_for(anext(changes), 0.004)
            except TimeoutError:
                late += 1
            else:
                assert change.document is not None
                seen.append(change.document.number)
        await writing
    assert seen == list(range(200))
    assert late > 0
    assert await no_cursor(client, db)


async def test_two_tasks_do_not_share_a_stream(client: Any, db: str) -> None:
    async with Row.watch() as changes:
        waiting = asyncio.create_task(anext(changes))
        await asyncio.sleep(0.1)
        with pytest.raises(lm.QueryError, match="waited for already"):
            await anext(changes)
        await Row(number=1).persist()
        assert (await waiting).operation == "insert"


async def test_cancelling_does_not_wait_for_a_server_that_is_away(
    client: Any, db: str, mongo_uri: str
) -> None:
    with proxy_of(mongo_uri) as proxy:
        uri = proxy.uri.replace("serverSelectionTimeoutMS=300", "serverSelectionTimeoutMS=20000")
        async with lm.connect(uri):
            task = asyncio.create_task(watch_all([]))
            await asyncio.sleep(0.3)
            proxy.is_up = False
            proxy.cut()
            await asyncio.sleep(0.3)
            assert not task.done()
            begun = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - begun < 0.5
    # Nobody could tell the server.
    for row in await (await client.admin.aggregate(open_cursors(db))).to_list():
        await client[db].command("killCursors", "rows", cursors=[row["cursor"]["cursorId"]])


async def test_blocking_code_watches_beside_it(client: Any, db: str, mongo_uri: str) -> None:
    opened, seen = threading.Event(), []

    def read() -> None:
        with loom_sync.connect(mongo_uri), SyncRow.watch() as changes:
            opened.set()
            for change in changes:
                assert change.document is not None
                seen.append(change.document.number)
                if len(seen) == 3:
                    break

    thread = threading.Thread(target=copy_context().run, args=(read,))
    thread.start()
    await asyncio.to_thread(opened.wait)
    for n in range(3):
        await Row(number=n).persist()
    await asyncio.to_thread(thread.join)
    assert seen == [0, 1, 2]
    assert await no_cursor(client, db)


async def test_models_of_blocking_code_are_watched_in_an_event_loop(db: str) -> None:
    async with SyncRow.watch_async() as changes:
        await SyncRow(number=1).persist_async()
        change = await anext(changes)
        assert isinstance(change.document, SyncRow)
    query = SyncRow.filter(loom_sync.fld["number"] > 1)
    async with query.watch_async() as changes:
        for n in range(1, 3):
            await SyncRow(number=n).persist_async()
        assert (await anext(changes)).document.number == 2
