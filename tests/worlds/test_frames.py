"""Frames in an event loop: it is not blocked, and a cancelled task leaves nothing open."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import pandas as pd
import pytest

import loom_async as lm
import loom_sync
from loom_async._core.arrow import table_builder
from loom_async._core.frames import chunks, insert_rows
from loom_async.frames import batches
from tests.aio.embedded_servers import until


@lm.declare_persist_db("worlds_none", "people")
class Person(lm.PersistableBase):
    name: str
    age: int = 0


@loom_sync.declare_persist_db("worlds_none", "people")
class SyncPerson(loom_sync.PersistableBase):
    name: str
    age: int = 0


@pytest.fixture
async def stored(client: Any, db: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr(batches, "BATCH_SIZE", 2)
    monkeypatch.setattr(chunks, "ROWS", 2)
    await Person.persist_many([Person(name=f"p{n}", age=n) for n in range(40)])
    yield
    assert await open_cursors(client) == 0
    assert not [task for task in asyncio.all_tasks() if "ahead" in repr(task.get_coro())]


async def open_cursors(client: Any) -> int:
    status = await client.admin.command("serverStatus")
    return int(status["metrics"]["cursor"]["open"]["total"])


def slow_down(kind: type, name: str, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Slow a method down; return a list to which each call adds the id of its thread."""
    threads: list[int] = []
    method = getattr(kind, name)

    def slowly(self: Any, *args: Any) -> Any:
        threads.append(threading.get_ident())
        time.sleep(0.05)
        return method(self, *args)

    monkeypatch.setattr(kind, name, slowly)
    return threads


async def count_ticks(work: Any) -> int:
    """Return how often another task runs until the work is done."""
    task = asyncio.ensure_future(work)
    count = 0
    while not task.done():
        count += 1
        await asyncio.sleep(0.001)
    task.result()
    return count


@pytest.mark.usefixtures("stored")
async def test_conversions_do_not_block_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    decoding = slow_down(table_builder.TableBuilder, "add", monkeypatch)
    encoding = slow_down(insert_rows.InsertPreparer, "prepare", monkeypatch)
    assert await count_ticks(Person.filter().load_table()) > 20
    frame = pd.DataFrame({"name": ["x"] * 10})
    assert await count_ticks(Person.insert_dataframe(frame)) > 5
    assert len(decoding) == 20
    assert len(encoding) == 5
    assert threading.get_ident() not in {*decoding, *encoding}


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("delay", [0.0, 0.005, 0.06, 0.12])
async def test_a_cancelled_load_closes_its_cursor(
    delay: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_down(table_builder.TableBuilder, "add", monkeypatch)
    for load in (Person.filter().load_table, Person.filter().load_dataframe):
        task = asyncio.ensure_future(load())
        await asyncio.sleep(delay)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.usefixtures("stored")
async def test_a_timeout_cancels_a_load(monkeypatch: pytest.MonkeyPatch) -> None:
    slow_down(table_builder.TableBuilder, "add", monkeypatch)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await Person.filter().load_table()


@pytest.mark.usefixtures("stored")
async def test_batches_that_are_not_read_to_the_end() -> None:
    batches_of_three: Any = Person.filter().load_batches(rows=3)
    async for batch in batches_of_three:
        assert batch.num_rows == 3
        break
    await batches_of_three.aclose()


@pytest.mark.usefixtures("stored")
async def test_a_cancelled_insertion_stores_whole_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    encoding = slow_down(insert_rows.InsertPreparer, "prepare", monkeypatch)
    frame = pd.DataFrame({"name": [f"new {n}" for n in range(20)]})
    task = asyncio.ensure_future(Person.insert_dataframe(frame))
    async with asyncio.timeout(20):
        await asyncio.to_thread(
            until, lambda: len(encoding) >= 3
        )  # by then the first chunk has been sent
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.05)
    count = await Person.filter(lm.fld["name"].starts_with("new")).count()
    assert 0 < count < 20
    assert count % 2 == 0


@pytest.mark.usefixtures("stored")
async def test_async_twins_of_the_sync_package() -> None:
    query = SyncPerson.filter().sort("age")
    table = await query.load_table_async()
    assert table == await asyncio.to_thread(query.load_table)
    assert (await query.load_dataframe_async()).equals(
        await asyncio.to_thread(query.load_dataframe)
    )
    assert [b.num_rows async for b in query.load_batches_async(rows=30)] == [30, 10]
    result = await SyncPerson.insert_dataframe_async(pd.DataFrame({"name": ["y"], "age": [99]}))
    assert result.inserted == 1
    frame = pd.DataFrame({"name": ["y"], "age": [100]})
    assert (await SyncPerson.update_dataframe_async(frame, on=["name"])).modified == 1
    assert (await SyncPerson.aggregate_arrow_async([])).num_rows == 41


@pytest.mark.usefixtures("stored")
async def test_sync_batches_that_are_not_read_to_the_end_stop_their_thread() -> None:
    def read_one_batch() -> None:
        for _ in SyncPerson.filter().load_batches(rows=3):
            break

    before = threading.active_count()
    await asyncio.to_thread(read_one_batch)
    assert not [t for t in threading.enumerate() if t.name.startswith("loom-batches")]
    assert threading.active_count() <= before + 1
