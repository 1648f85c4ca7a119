"""Calls after a write whose outcome is unknown: the write does not take effect after them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pandas as pd
import pytest

import loom_async as lm
from tests.worlds.failing_server import DATABASE, Client, fail


@lm.declare_persist_db(DATABASE, "pages")
class Page(lm.Persistable):
    collection: ClassVar = "pages"
    name: str = ""
    visits: lm.IncrCounter = 0


@pytest.fixture
async def impatient(failing: Client, failing_uri: str) -> AsyncIterator[Client]:
    """A client whose calls time out after 300 ms, while the server continues to execute them."""
    await Page.filter().delete()
    async with lm.connect(failing_uri, appName="impatient", socketTimeoutMS=300):
        yield failing


@asynccontextmanager
async def delayed(client: Client, command: str) -> AsyncIterator[None]:
    """Have the server delay a command twice until the call in the block has timed out."""
    data = {"failCommands": [command], "appName": "impatient", "blockConnection": True}
    await client.admin.command(
        "configureFailPoint", "failCommand", mode={"times": 2}, data={**data, "blockTimeMS": 1_500}
    )
    with pytest.raises(lm.OperationTimeout):
        yield


async def _wait_for_arrival() -> None:
    await asyncio.sleep(2.0)


async def _stored(client: Client, page: Page) -> dict[str, Any] | None:
    return await client[DATABASE]["pages"].find_one({"_id": page.id})


async def test_delete_after_an_insertion(impatient: Client) -> None:
    page = Page()
    async with delayed(impatient, "insert"):
        await page.persist()
    await page.delete()
    await _wait_for_arrival()
    assert await _stored(impatient, page) is None


async def test_reload_after_an_update(impatient: Client) -> None:
    page = Page()
    await page.persist()
    page.visits += 1
    async with delayed(impatient, "findAndModify"):
        await page.persist()
    await page.reload()
    visits = page.visits
    await _wait_for_arrival()
    page.visits += 1
    await page.persist()
    stored = await _stored(impatient, page)
    assert stored is not None
    assert page.visits == stored["visits"] == visits + 1


async def test_persist_after_a_deletion(impatient: Client) -> None:
    page = Page(name="first")
    await page.persist()
    async with delayed(impatient, "delete"):
        await page.delete()
    page.name = "second"
    await page.persist()
    await _wait_for_arrival()
    stored = await _stored(impatient, page)
    assert stored is not None
    assert stored["name"] == "second"


async def test_the_second_delete_reports_the_deletion_of_the_first(impatient: Client) -> None:
    """The first call has deleted the document; the second call returns that result."""
    page = Page()
    await page.persist()
    async with delayed(impatient, "delete"):
        await page.delete()
    assert await page.delete()
    assert not await page.delete()


async def test_a_second_insert_stores_later_edits(failing: Client) -> None:
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


async def test_a_stored_object_is_not_inserted(failing: Client) -> None:
    """Not even after an update whose outcome was unknown."""
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


async def test_an_unknown_outcome_is_not_settled_in_a_transaction(failing: Client) -> None:
    page = Page()
    await fail(failing, "insert", {"closeConnection": True}, 1_000)
    with lm.config_context(server_timeout=0.3), pytest.raises(lm.ConnectionFailed):
        await page.persist()
    await failing.admin.command("configureFailPoint", "failCommand", mode="off")
    with pytest.raises(lm.OutcomeUnknown, match="before the block"):
        async with lm.transaction():
            await page.persist()
    assert await page.persist()


async def test_settling_a_grouped_save_has_no_time_limit_of_its_group(failing: Client) -> None:
    """The grouped command had a short time limit, for the sake of the other saves of its group."""
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


async def test_deadlock_of_a_write_and_a_transaction(failing: Client) -> None:
    """The transaction aborts long before the server would end it."""
    await Page.filter().delete()
    page = Page()
    await page.persist()
    shared = await Page.from_id(page.id)
    assert shared is not None
    update_first = asyncio.Event()

    async def save() -> None:
        await update_first.wait()
        shared.name = "plain"
        await shared.persist()

    async def update_in_transaction() -> None:
        async with lm.transaction():
            page.visits += 1
            await page.persist()
            update_first.set()
            await asyncio.sleep(0.3)
            await shared.persist()

    saving = asyncio.create_task(save())
    with lm.config_context(transaction_timeout=1.0), pytest.raises(lm.TransactionAborted):
        # The server itself aborts a transaction after a minute.
        await asyncio.wait_for(update_in_transaction(), 30)
    await saving
    stored = await _stored(failing, page)
    assert stored is not None
    assert (stored["name"], stored["visits"], page.visits) == ("plain", 0, 0)


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize("on_duplicate", ["raise", "ignore"])
async def test_a_duplicate_row_aborts_a_transaction(
    failing: Client, on_duplicate: Any, on_error: Any
) -> None:
    """MongoDB aborts the transaction at the first row that it refuses: nothing is stored."""
    await Page.filter().delete()
    existing = Page()
    await existing.persist()
    ids = [Page().id for _ in range(30)]
    ids[20] = existing.id
    frame = pd.DataFrame({"id": ids, "name": "x"})
    with pytest.raises(lm.FrameError) as caught:
        async with lm.transaction():
            await Page.insert_dataframe(frame, on_duplicate=on_duplicate, on_error=on_error)
    assert (caught.value.rows, caught.value.written) == ([20], [])
    assert await failing[DATABASE]["pages"].count_documents({}) == 1
