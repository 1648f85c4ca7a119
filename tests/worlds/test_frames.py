"""What only an event loop shows of frames: it stays free, and who is cancelled leaves nothing."""

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


def slow(kind: type, name: str, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have a method take its time, and tell the threads that it runs in."""
    threads: list[int] = []
    method = getattr(kind, name)

    def slowly(self: Any, *args: Any) -> Any:
        threads.append(threading.get_ident())
        time.sleep(0.05)
        return method(self, *args)

    monkeypatch.setattr(kind, name, slowly)
    return threads


async def ticks(work: Any) -> int:
    """Return how often another task has had a turn meanwhile."""
    task = asyncio.ensure_future(work)
    count = 0
    while not task.done():
        count += 1
        await asyncio.sleep(0.001)
    task.result()
    return count


@pytest.mark.usefixtures("stored")
async def test_the_loop_stays_free(monkeypatch: pytest.MonkeyPatch) -> None:
    decoding = slow(table_builder.TableBuilder, "add", monkeypatch)
    encoding = slow(insert_rows.InsertPreparer, "prepare", monkeypatch)
    assert await ticks(Person.filter().load_table()) > 20
    frame = pd.DataFrame({"name": ["x"] * 10})
    assert await ticks(Person.insert_dataframe(frame)) > 5
    assert len(decoding) == 20
    assert len(encoding) == 5
    assert threading.get_ident() not in {*decoding, *encoding}


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("moment", [0.0, 0.005, 0.06, 0.12])
async def test_a_cancelled_load_ends_its_query(
    moment: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow(table_builder.TableBuilder, "add", monkeypatch)
    for load in (Person.filter().load_table, Person.filter().load_dataframe):
        task = asyncio.ensure_future(load())
        await asyncio.sleep(moment)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.usefixtures("stored")
async def test_time_limits_end_a_load(monkeypatch: pytest.MonkeyPatch) -> None:
    slow(table_builder.TableBuilder, "add", monkeypatch)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await Person.filter().load_table()


@pytest.mark.usefixtures("stored")
async def test_batches_that_are_left() -> None:
    found: Any = Person.filter().load_batches(rows=3)
    async for batch in found:
        assert batch.num_rows == 3
        break
    await found.aclose()


@pytest.mark.usefixtures("stored")
async def test_a_cancelled_insertion_is_whole_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    encoding = slow(insert_rows.InsertPreparer, "prepare", monkeypatch)
    frame = pd.DataFrame({"name": [f"new {n}" for n in range(20)]})
    task = asyncio.ensure_future(Person.insert_dataframe(frame))
    async with asyncio.timeout(20):
        await asyncio.to_thread(until, lambda: len(encoding) >= 3)  # the first has been sent then
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.05)
    count = await Person.filter(lm.fld["name"].starts_with("new")).count()
    assert 0 < count < 20
    assert count % 2 == 0


@pytest.mark.usefixtures("stored")
async def test_twins_of_the_sync_package() -> None:
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
async def test_sync_batches_that_are_left_end_their_thread() -> None:
    def leave() -> None:
        for _ in SyncPerson.filter().load_batches(rows=3):
            break

    before = threading.active_count()
    await asyncio.to_thread(leave)
    assert not [t for t in threading.enumerate() if t.name.startswith("loom-batches")]
    assert threading.active_count() <= before + 1
