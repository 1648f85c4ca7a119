"""A query that fails while it reads closes its cursor before it raises the error."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from bson import DatetimeMS

import loom_async as lm
from loom_async.queries import query


@lm.declare_persist_db("closing_none", "rows")
class Row(lm.PersistableBase):
    number: int


class Small(lm.PersistableBase):
    number: int


Load = Callable[[], Awaitable[object]]


async def objects() -> object:
    return await Row.filter().load_many()


async def a_page() -> object:
    return await Row.filter().sort("number").page(9)


async def rows() -> object:
    return await Row.filter().project("number").into(Small).load_many()


async def a_stream() -> object:
    return [row async for row in Row.filter().stream()]


async def a_stream_of_rows() -> object:
    return [row async for row in Row.filter().project("number").into(Small).stream()]


@pytest.fixture
async def stored(client: Any, db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten documents, of which the third does not fit, two in a batch."""
    monkeypatch.setattr(query, "_BATCH_SIZE", 2)
    collection = await Row.get_db_collection()
    await collection.insert_many(
        [{"_id": f"{n:024x}", "number": "x" if n == 2 else n} for n in range(10)]
    )


async def open_cursors(client: Any, db: str) -> list[Any]:
    stages = [
        {"$currentOp": {"idleCursors": True, "allUsers": True}},
        {"$match": {"type": "idleCursor", "ns": f"{db}.rows"}},
    ]
    return await (await client.admin.aggregate(stages)).to_list()


@pytest.mark.parametrize("load", [objects, rows, a_stream, a_stream_of_rows])
@pytest.mark.usefixtures("stored")
async def test_an_error_leaves_no_cursor(client: Any, db: str, load: Load) -> None:
    with pytest.raises(lm.InvalidDocument) as caught:
        await load()
    # The error holds the frames that it has come through, and what these hold.
    assert caught.value.__traceback__ is not None
    assert await open_cursors(client, db) == []


@pytest.mark.usefixtures("stored")
async def test_documents_that_cannot_be_read_leave_no_cursor(client: Any, db: str) -> None:
    collection = await Row.get_db_collection()
    late = DatetimeMS(2**60)
    await collection.update_one({"number": 3}, {"$set": {"at": late}})
    for load in (Row.filter().load_docs, a_page):
        with pytest.raises(lm.InvalidDocument) as caught:
            await load()
        assert caught.value.__traceback__ is not None
        assert await open_cursors(client, db) == []
