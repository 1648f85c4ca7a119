# Generated from tests/aio/test_cursor_closing.py by `nox -s sync`: edit that file.
"""A query that fails while it reads closes its cursor before it raises the error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bson import DatetimeMS

import loom_sync as lm
from loom_sync.queries import query


@lm.declare_persist_db("closing_none", "rows")
class Row(lm.PersistableBase):
    number: int


class Small(lm.PersistableBase):
    number: int


Load = Callable[[], object]


def objects() -> object:
    return Row.filter().load_many()


def a_page() -> object:
    return Row.filter().sort("number").page(9)


def rows() -> object:
    return Row.filter().project("number").into(Small).load_many()


def a_stream() -> object:
    return list(Row.filter().stream())


def a_stream_of_rows() -> object:
    return list(Row.filter().project("number").into(Small).stream())


@pytest.fixture
def stored(client: Any, db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten documents, of which the third does not fit, two in a batch."""
    monkeypatch.setattr(query, "_BATCH_SIZE", 2)
    collection = Row.get_db_collection()
    collection.insert_many(
        [{"_id": f"{n:024x}", "number": "x" if n == 2 else n} for n in range(10)]
    )


def open_cursors(client: Any, db: str) -> list[Any]:
    stages = [
        {"$currentOp": {"idleCursors": True, "allUsers": True}},
        {"$match": {"type": "idleCursor", "ns": f"{db}.rows"}},
    ]
    return client.admin.aggregate(stages).to_list()


@pytest.mark.parametrize("load", [objects, rows, a_stream, a_stream_of_rows])
@pytest.mark.usefixtures("stored")
def test_an_error_leaves_no_cursor(client: Any, db: str, load: Load) -> None:
    with pytest.raises(lm.InvalidDocument) as caught:
        load()
    # The error holds the frames that it has come through, and what these hold.
    assert caught.value.__traceback__ is not None
    assert open_cursors(client, db) == []


@pytest.mark.usefixtures("stored")
def test_documents_that_cannot_be_read_leave_no_cursor(client: Any, db: str) -> None:
    collection = Row.get_db_collection()
    late = DatetimeMS(2**60)
    collection.update_one({"number": 3}, {"$set": {"at": late}})
    for load in (Row.filter().load_docs, a_page):
        with pytest.raises(lm.InvalidDocument) as caught:
            load()
        assert caught.value.__traceback__ is not None
        assert open_cursors(client, db) == []
