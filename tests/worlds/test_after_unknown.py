"""Calls after a write whose outcome is unknown: the write never takes effect after them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pandas as pd
import pytest

import loom_async as lm
from tests.worlds.partly_done import DATABASE, Client, fail


@lm.declare_persist_db(DATABASE, "pages")
class Page(lm.Persistable):
    collection: ClassVar = "pages"
    name: str = ""
    visits: lm.IncrCounter = 0


@pytest.fixture
async def slow(failing: Client, failing_uri: str) -> AsyncIterator[Client]:
    """Calls end when a reply takes three tenths of a second; the server goes on with them."""
    await Page.filter().delete()
    async with lm.connect(failing_uri, appName="slow", socketTimeoutMS=300):
        yield failing


@asynccontextmanager
async def late(client: Client, command: str) -> AsyncIterator[None]:
    """A block whose command the server takes up late, twice; the caller hears nothing."""
    data = {"failCommands": [command], "appName": "slow", "blockConnection": True}
    await client.admin.command(
        "configureFailPoint", "failCommand", mode={"times": 2}, data={**data, "blockTimeMS": 1_500}
    )
    with pytest.raises(lm.OperationTimeout):
        yield


async def _arrived() -> None:
    await asyncio.sleep(2.0)


async def _stored(client: Client, page: Page) -> dict[str, Any] | None:
    return await client[DATABASE]["pages"].find_one({"_id": page.id})


async def test_deleted_after_an_insert(slow: Client) -> None:
    page = Page()
    async with late(slow, "insert"):
        await page.persist()
    await page.delete()
    await _arrived()
    assert await _stored(slow, page) is None


async def test_reloaded_after_an_update(slow: Client) -> None:
    page = Page()
    await page.persist()
    page.visits += 1
    async with late(slow, "findAndModify"):
        await page.persist()
    await page.reload()
    seen = page.visits
    await _arrived()
    page.visits += 1
    await page.persist()
    stored = await _stored(slow, page)
    assert stored is not None
    assert page.visits == stored["visits"] == seen + 1


async def test_stored_again_after_a_delete(slow: Client) -> None:
    page = Page(name="first")
    await page.persist()
    async with late(slow, "delete"):
        await page.delete()
    page.name = "second"
    await page.persist()
    await _arrived()
    stored = await _stored(slow, page)
    assert stored is not None
    assert stored["name"] == "second"


async def test_deleted_twice(slow: Client) -> None:
    """The first call has deleted it, and the second one says so."""
    page = Page()
    await page.persist()
    async with late(slow, "delete"):
        await page.delete()
    assert await page.delete()
    assert not await page.delete()


async def test_a_second_insert_stores_what_was_changed_since(failing: Client) -> None:
    page = Page(name="first")
    await fail(failing, "insert", {"closeConnection": True}, 1_000)
    with lm.config_context(server_timeout=0.3), pytest.raises(lm.ConnectionFailed):
        await page.insert()
    await failing.admin.command("configureFailPoint", "failCommand", mode="off")
    page.name = "second"
    assert await page.insert()
    stored = await _stored(failing, page)
    assert stored is not None
    assert stored["name"] == "second"
    with pytest.raises(lm.DuplicateKey):
        await page.insert()


async def test_an_object_of_the_database_is_not_inserted(failing: Client) -> None:
    """Not after an update whose outcome was unknown, either."""
    page = Page()
    await page.persist()
    page.visits += 1
    await fail(failing, "findAndModify", {"closeConnection": True}, 1_000)
    with lm.config_context(server_timeout=0.3), pytest.raises(lm.ConnectionFailed):
        await page.persist()
    await failing.admin.command("configureFailPoint", "failCommand", mode="off")
    with pytest.raises(lm.DuplicateKey):
        await page.insert()
    stored = await _stored(failing, page)
    assert stored is not None
    assert stored["visits"] == page.visits == 1


async def test_inside_a_transaction(failing: Client) -> None:
    page = Page()
    await fail(failing, "insert", {"closeConnection": True}, 1_000)
    with lm.config_context(server_timeout=0.3), pytest.raises(lm.ConnectionFailed):
        await page.persist()
    await failing.admin.command("configureFailPoint", "failCommand", mode="off")
    with pytest.raises(lm.OutcomeUnknown, match="before the block"):
        async with lm.transaction():
            await page.persist()
    assert await page.persist()


async def test_a_part_of_a_joined_save_waits_as_a_single_one_does(failing: Client) -> None:
    """Its command had a limit of its own, which was set for the sake of the others."""
    pages = [Page() for _ in range(20)]
    await Page.persist_many(pages)
    for page in pages:
        page.name = "new"
    await fail(failing, "update", {"closeConnection": True}, 1_000)
    with lm.config_context(server_timeout=0.3):
        saves = await asyncio.gather(*(p.persist() for p in pages), return_exceptions=True)
    await failing.admin.command("configureFailPoint", "failCommand", mode="off")
    page = next(p for p, save in zip(pages, saves, strict=True) if save is not True)
    async with failing.start_session() as session:
        await session.start_transaction()
        collection = failing[DATABASE]["pages"]
        await collection.update_one({"_id": page.id}, {"$set": {"by": 1}}, session=session)
        saving = asyncio.create_task(page.persist())
        await asyncio.sleep(1.5)
        assert not saving.done()
        await session.commit_transaction()
    assert await saving


async def test_a_write_waits_for_the_transaction_that_waits_for_it(failing: Client) -> None:
    """The transaction gives up, long before the server would end it."""
    await Page.filter().delete()
    mine = Page()
    await mine.persist()
    shared = await Page.from_id(mine.id)
    assert shared is not None
    begin = asyncio.Event()

    async def save() -> None:
        await begin.wait()
        shared.name = "plain"
        await shared.persist()

    async def transact() -> None:
        async with lm.transaction():
            mine.visits += 1
            await mine.persist()
            begin.set()
            await asyncio.sleep(0.3)
            await shared.persist()

    saving = asyncio.create_task(save())
    with lm.config_context(transaction_timeout=1.0), pytest.raises(lm.TransactionAborted):
        await asyncio.wait_for(transact(), 30)  # the server ends a transaction after a minute
    await saving
    stored = await _stored(failing, mine)
    assert stored is not None
    assert (stored["name"], stored["visits"], mine.visits) == ("plain", 0, 0)


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize("on_duplicate", ["raise", "ignore"])
async def test_a_frame_that_is_refused_in_a_transaction(
    failing: Client, on_duplicate: Any, on_error: Any
) -> None:
    """MongoDB ends the transaction with the first row that it refuses: nothing stays."""
    await Page.filter().delete()
    there = Page()
    await there.persist()
    ids = [Page().id for _ in range(30)]
    ids[20] = there.id
    frame = pd.DataFrame({"id": ids, "name": "x"})
    with pytest.raises(lm.FrameError) as caught:
        async with lm.transaction():
            await Page.insert_dataframe(frame, on_duplicate=on_duplicate, on_error=on_error)
    assert (caught.value.rows, caught.value.written) == ([20], [])
    assert await failing[DATABASE]["pages"].count_documents({}) == 1
