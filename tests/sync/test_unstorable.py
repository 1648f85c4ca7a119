# Generated from tests/aio/test_unstorable.py by `nox -s sync`: edit that file.
"""Values that BSON or MongoDB cannot store: every operation raises one clear error."""

from __future__ import annotations

import datetime as dt
import re
from functools import partial
from typing import Any

import pandas as pd
import pytest

import loom_sync as lm
from loom_sync import fld

pytestmark = pytest.mark.usefixtures("db")


@lm.declare_persist_db("shop", "boxes")
class Box(lm.PersistableBase):
    a: Any = None
    items: list[Any] = []
    members: set[Any] = set()


@lm.declare_persist_db("shop", "boxes")
class OwnId(lm.PersistableBase):
    id: Any
    a: Any = None


@lm.declare_persist_db("shop", "box_history")
class Recorded(lm.LedgerModel):
    a: Any = None


UNSTORABLE: dict[str, Any] = {
    "surrogate": "\ud800",
    "NUL in a key": {"k": [{"a\0b": 1}]},
    "surrogate in a key": {"\ud800": 1},
    "65 bits": 2**64,
    "65 bits in a set": {1, 2**64},
    "NUL in a pattern": re.compile("a\0"),
    "object": object(),
    "year 10000": dt.datetime(9999, 12, 31, 23, tzinfo=dt.timezone(dt.timedelta(hours=-5))),
    "year 0": dt.datetime(1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=5))),
}
LARGE = "x" * (17 * 1024 * 1024)

each_value = pytest.mark.parametrize("value", UNSTORABLE.values(), ids=UNSTORABLE.keys())


@each_value
def test_objects_with_unstorable_values(value: Any) -> None:
    loaded = Box()
    loaded.persist()
    loaded.a = value
    for document in (Box(a=value), OwnId(id=1, a=value), Recorded(a=value), loaded):
        with pytest.raises(lm.EncodingError) as caught:
            document.persist()
        assert caught.value.path.startswith("a")
        assert "Invalid document" not in str(caught.value)
    with pytest.raises(lm.BulkError) as bulk_error:
        Box.persist_many([Box(), Box(a=value), loaded])
    assert (bulk_error.value.inserted, [e.index for e in bulk_error.value.entries]) == (1, [1, 2])
    assert Box.filter().count() == 2


def test_sets_with_unstorable_members() -> None:
    for member in ("\ud800", 2**64):
        with pytest.raises(lm.EncodingError) as caught:
            Box(members={member, 1}).persist()
        assert caught.value.path == "members"


@each_value
def test_queries_with_unstorable_values(value: Any) -> None:
    if not isinstance(value, str | int | dict | re.Pattern):
        with pytest.raises(lm.QueryError):  # raised when the query is built
            Box.filter(fld["a"] == value)
        return
    query = Box.filter(fld["a"] == value)
    for call in (
        query.count,
        query.exists,
        query.explain,
        query.load_one,
        query.load_many,
        query.load_docs,
        query.load_table,
        query.delete,
        partial(query.update, a=1),
        Box.filter(lm.raw({"a": value})).count,
        Box.filter(fld["a"].is_in([value])).load_one,
        Box.agg(lm.AggregationStages().match({"a": {"$eq": value}})).load_many,
    ):
        with pytest.raises(lm.EncodingError):
            call()
    with pytest.raises(lm.EncodingError):
        query.distinct("a")
    with pytest.raises(lm.EncodingError):
        query.page(2)
    with pytest.raises(lm.EncodingError):
        query.merge_into("elsewhere")
    with pytest.raises(lm.EncodingError), query.watch():
        pass


@each_value
def test_updates_with_unstorable_values(value: Any) -> None:
    Box().persist()
    for update in ({"a": value}, {"$push": {"items": value}}, {"$set": {"a.b": value}}):
        with pytest.raises(lm.EncodingError):
            Box.filter().update(update)
    assert Box.filter().load_docs() == [
        {"_id": box.id, "a": None, "items": [], "members": []} for box in Box.filter().load_many()
    ]


@each_value
def test_frames_with_unstorable_values(value: Any) -> None:
    box = Box()
    box.persist()
    frame = pd.DataFrame({"a": pd.Series([1, value], dtype=object)})
    for validate in (True, False):
        with pytest.raises(lm.FrameError) as caught:
            Box.insert_dataframe(frame, validate=validate)
        assert caught.value.rows == [1]
    with pytest.raises(lm.FrameError) as caught:
        Box.update_dataframe(frame.assign(id=[box.id, box.id]), on=["id"])
    assert caught.value.rows[-1] == 1
    assert Box.filter().count() == 1


def test_values_that_contain_themselves() -> None:
    value: dict[str, Any] = {}
    value["a"] = [value]
    with pytest.raises(lm.EncodingError, match="contains itself"):
        Box(a=value).persist()
    with pytest.raises(lm.BulkError, match="contains itself"):
        Box.persist_many([Box(), Box(a=value)])
    with pytest.raises(lm.EncodingError, match="contains itself"):
        Box.filter().update(a=value)
    for build in (
        lambda: Box.filter(fld["a"] == value),
        lambda: lm.raw(value),
        lambda: lm.AggregationStages().match(value),
        lambda: Box.filter().add_fields(x=value),
    ):
        with pytest.raises(lm.QueryError, match="contains itself"):
            build()
    assert Box.filter().count() == 1


@pytest.mark.parametrize("name", [3, None, b"a", ("a", 1), 1.5])
def test_names_that_are_no_strings(name: Any) -> None:
    for build in (
        lambda: Box.filter(fld[name] == 1),
        lambda: Box.filter().project(name),
        lambda: Box.filter().group_by(name).acc(n=lm.count()),
        lambda: Box.agg(name),
    ):
        with pytest.raises(lm.QueryError):
            build()
    for update in ({name: 1}, {"$set": {name: 1}}, [{"$set": {name: 1}}]):
        with pytest.raises(lm.QueryError):
            Box.filter().update(update)
    with pytest.raises(lm.QueryError):
        Box.filter().distinct(name)
    with pytest.raises(lm.ConfigurationError):
        lm.Index(name if name != ("a", 1) else ("a", 3))


def test_a_pipeline_as_a_list() -> None:
    Box(a=2).persist()
    rows = Box.agg([{"$match": {"a": 2}}, {"$count": "n"}]).load_many()
    assert rows == [{"n": 1}]
    with pytest.raises(lm.QueryError, match="writes to a collection"):
        Box.agg([{"$out": "elsewhere"}])


def test_unstorable_values_in_a_transaction() -> None:
    def store_and_count() -> None:
        Box().persist()
        Box.filter(fld["a"] == "\ud800").count()

    with pytest.raises(lm.EncodingError):
        lm.in_transaction(store_and_count)
    assert Box.filter().count() == 0


def test_documents_that_are_too_large() -> None:
    loaded = Box(a="small")
    loaded.persist()
    loaded.a = LARGE
    for document in (Box(a=LARGE), OwnId(id=1, a=LARGE), Recorded(a=LARGE), loaded):
        with pytest.raises(lm.EncodingError, match="MongoDB holds 16 MB"):
            document.persist()
    with pytest.raises(lm.BulkError) as bulk_error:
        Box.persist_many([Box(), Box(a=LARGE), loaded])
    assert (bulk_error.value.inserted, [e.index for e in bulk_error.value.entries]) == (1, [1, 2])
    frame = pd.DataFrame({"id": [loaded.id], "a": [LARGE]})
    with pytest.raises(lm.FrameError, match="MongoDB holds 16 MB"):
        Box.update_dataframe(frame)
    with pytest.raises(lm.FrameError, match="MongoDB holds 16 MB"):
        Box.insert_dataframe(frame)
    assert Box.filter(fld["id"] == loaded.id).load_docs() == [
        {"_id": loaded.id, "a": "small", "items": [], "members": []}
    ]


def test_commands_that_are_too_large() -> None:
    query = Box.filter(fld["a"] == LARGE)
    for call in (query.count, query.load_one, query.load_many, query.load_table, query.delete):
        with pytest.raises(lm.OperationFailed, match="too large") as caught:
            call()
        assert caught.value.code == 10334
        assert caught.value.hint == "MongoDB holds documents of up to 16 MB"
    with pytest.raises(lm.OperationFailed) as caught:
        Box.filter().update(a=LARGE)
    assert caught.value.code == 10334


def test_documents_that_grow_too_large() -> None:
    box = Box(a="x" * 9 * 1024 * 1024)
    box.persist()
    with pytest.raises(lm.OperationFailed) as caught:
        Box.filter().update({"$push": {"items": box.a}})
    assert caught.value.hint == "MongoDB holds documents of up to 16 MB"
    # Another client has enlarged the document: the edit of this object alone would fit.
    other = Box.from_id(box.id)
    assert other is not None
    other.a = box.a[: 2**20]
    other.items = [box.a[: 2**20] * 8]
    Box.filter().update(a="x")
    Box.filter().update(members=["y" * 12 * 2**20])
    with pytest.raises(lm.OperationFailed) as caught:
        other.persist()
    assert caught.value.hint == "MongoDB holds documents of up to 16 MB"
