"""Change streams in tasks that are cancelled, and in threads."""

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


async def cursors_close(client: Any, db: str) -> bool:
    """Return whether the cursors are closed in time: the server waits for a second before."""
    end = time.monotonic() + 5.0  # the server closes a leaked cursor after ten minutes
    while await (await client.admin.aggregate(open_cursors(db))).to_list():
        if time.monotonic() > end:
            return False
    return True


async def watch_all(seen: list[int]) -> None:
    async for change in Row.watch():
        assert change.document is not None
        seen.append(change.document.number)


async def wait_for_cursor(client: Any, db: str) -> None:
    waiting = True
    while waiting:
        waiting = not await (await client.admin.aggregate(open_cursors(db))).to_list()


async def test_cancelling_a_waiting_task_closes_its_cursor(client: Any, db: str) -> None:
    seen: list[int] = []
    task = asyncio.create_task(watch_all(seen))
    await wait_for_cursor(client, db)
    await Row(number=1).persist()
    await asyncio.sleep(0.3)
    start = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - start < 0.5
    assert await cursors_close(client, db)
    assert seen == [1]


@pytest.mark.parametrize("delay", [0, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.012])
async def test_cancelling_at_any_time_leaves_no_cursor(
    client: Any, db: str, mongo_uri: str, delay: float
) -> None:
    """Also during connecting, when pymongo sometimes swallows a cancellation."""
    for n in range(16):
        async with AsyncExitStack() as stack:
            if n % 2:
                await stack.enter_async_context(lm.connect(mongo_uri))
            task = asyncio.create_task(watch_all([]))
            await asyncio.sleep(delay)
            task.cancel()
            await asyncio.wait([task], timeout=5)
            assert task.cancelled()
    assert await cursors_close(client, db)


async def test_repeated_cancelling_leaves_no_cursor(client: Any, db: str) -> None:
    task = asyncio.create_task(watch_all([]))
    await wait_for_cursor(client, db)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await cursors_close(client, db)


async def test_timeouts_lose_no_change(client: Any, db: str) -> None:
    async def write() -> None:
        for n in range(200):
            await Row(number=n).persist()

    seen: list[int] = []
    timeouts = 0
    async with Row.watch() as changes:
        writing = asyncio.create_task(write())
        while len(seen) < 200:
            try:
                change = await asyncio.wait_for(anext(changes), 0.004)
            except TimeoutError:
                timeouts += 1
            else:
                assert change.document is not None
                seen.append(change.document.number)
        await writing
    assert seen == list(range(200))
    assert timeouts > 0
    assert await cursors_close(client, db)


async def test_two_tasks_cannot_read_one_change_stream(client: Any, db: str) -> None:
    async with Row.watch() as changes:
        waiting = asyncio.create_task(anext(changes))
        await asyncio.sleep(0.1)
        with pytest.raises(lm.QueryError, match="waited for already"):
            await anext(changes)
        await Row(number=1).persist()
        assert (await waiting).operation == "insert"


async def test_cancelling_does_not_wait_for_an_unreachable_server(
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
            start = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - start < 0.5
    # The client could not close its cursor on the unreachable server.
    for row in await (await client.admin.aggregate(open_cursors(db))).to_list():
        await client[db].command("killCursors", "rows", cursors=[row["cursor"]["cursorId"]])


async def test_a_thread_watches_during_asynchronous_writes(
    client: Any, db: str, mongo_uri: str
) -> None:
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
    assert await cursors_close(client, db)


async def test_async_twins_watch_models_of_the_sync_package(db: str) -> None:
    async with SyncRow.watch_async() as changes:
        await SyncRow(number=1).persist_async()
        change = await anext(changes)
        assert isinstance(change.document, SyncRow)
    query = SyncRow.filter(loom_sync.fld["number"] > 1)
    async with query.watch_async() as changes:
        for n in range(1, 3):
            await SyncRow(number=n).persist_async()
        assert (await anext(changes)).document.number == 2
