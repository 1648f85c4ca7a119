"""Rows become updates, or errors with their row and column."""

from __future__ import annotations

import datetime as dt
from typing import Any

import bson
import pytest
from bson import ObjectId
from pydantic import ConfigDict

import loom_async as lm
from loom_async._core.frames.results import FrameError
from loom_async._core.frames.update_rows import PreparedUpdates, UpdatePreparer
from tests.core.frames.people import NOW, Counted, Person, Plain, chunk

NAIVE = NOW.replace(tzinfo=None)
ID = ObjectId()


def statements_of(prepared: PreparedUpdates) -> list[dict[str, Any]]:
    return [bson.decode(statement.raw) for statement in prepared.statements]


def errors_of(prepared: PreparedUpdates) -> list[tuple[int, str]]:
    return [(error.row, error.column) for error in prepared.errors]


def test_updates_by_a_column() -> None:
    prepared = UpdatePreparer(Person, ["name"], upsert=False).prepare(
        chunk({"name": ["a", "b"], "age": [1, None]}, 7), NOW
    )
    assert (prepared.count, prepared.rows, prepared.is_multi) == (2, [7, 8], True)
    assert statements_of(prepared) == [
        {"q": {"name": {"$eq": name}}, "u": {"$set": {"years": age, "updated_time": NAIVE}},
         "upsert": False, "multi": True}
        for name, age in [("a", 1), ("b", None)]
    ]  # fmt: skip


def test_updates_by_id_update_one_document() -> None:
    prepared = UpdatePreparer(Plain, ["id"], upsert=False).prepare(
        chunk({"_id": [ID], "n": [1]}), NOW
    )
    (statement,) = statements_of(prepared)
    assert (statement["multi"], statement["u"]) == (False, {"$set": {"n": 1}})
    assert statement["q"]["_id"] in (ID, {"$eq": ID})


def test_upserts_set_the_times_of_new_documents() -> None:
    prepared = UpdatePreparer(Person, ["name"], upsert=True).prepare(
        chunk({"name": ["a"], "age": [1]}), NOW
    )
    (statement,) = statements_of(prepared)
    assert statement["upsert"] is True
    assert statement["u"]["$setOnInsert"] == {"created_at": NAIVE}


def test_revisions_are_counted_and_may_not_be_set() -> None:
    preparer = UpdatePreparer(Counted, ["key"], upsert=False)
    (statement,) = statements_of(preparer.prepare(chunk({"key": ["a"], "value": [1]}), NOW))
    assert statement["u"] == {"$set": {"value": 1}, "$inc": {"revision": 1}}
    with pytest.raises(FrameError, match="the column revision counts the writes"):
        preparer.prepare(chunk({"key": ["b"], "revision": [1]}), NOW)


def test_each_column_is_validated_by_its_field() -> None:
    columns = {"name": ["a", "b", 5], "age": ["7", -1, 1], "address": [{"city": 1}, None, None]}
    prepared = UpdatePreparer(Person, ["name"], upsert=False).prepare(chunk(columns, 20), NOW)
    assert errors_of(prepared) == [(20, "address.city"), (21, "age"), (22, "name")]
    assert (prepared.rows, prepared.statements) == ([], [])
    columns["address"][0] = None
    prepared = UpdatePreparer(Person, ["name"], upsert=False).prepare(chunk(columns, 20), NOW)
    assert prepared.rows == [20]
    assert statements_of(prepared)[0]["u"]["$set"]["years"] == 7


def test_keys_that_find_no_single_document() -> None:
    preparer = UpdatePreparer(Plain, ["at"], upsert=False)
    moment = dt.datetime(2020, 1, 1)
    first = preparer.prepare(chunk({"at": [moment, None, moment], "n": [1, 2, 3]}), NOW)
    second = preparer.prepare(chunk({"at": [moment], "n": [4]}, 3), NOW)
    assert [(e.row, e.reason) for e in first.errors] == [
        (1, "null finds no document"), (2, "row 0 has the same key"),
    ]  # fmt: skip
    assert (second.rows, errors_of(second)) == ([], [(3, "at")])


def test_frames_without_the_columns_needed() -> None:
    with pytest.raises(FrameError, match="no column name, by which"):
        UpdatePreparer(Person, ["name"], upsert=False).prepare(chunk({"age": [1]}), NOW)
    with pytest.raises(FrameError, match="on has no columns"):
        UpdatePreparer(Person, [], upsert=False).prepare(chunk({"age": [1]}), NOW)
    with pytest.raises(FrameError, match="there is nothing to set"):
        UpdatePreparer(Plain, ["n"], upsert=False).prepare(chunk({"n": [1]}), NOW)


def test_columns_without_a_field_where_the_model_allows_them() -> None:
    class Open(lm.PersistableBase):
        model_config = ConfigDict(extra="allow")
        key: str

    prepared = UpdatePreparer(Open, ["key"], upsert=False).prepare(
        chunk({"more": [1, object()], "key": ["a", "b"]}), NOW
    )
    assert errors_of(prepared) == [(1, "more")]
    assert [s["u"] for s in statements_of(prepared)] == [{"$set": {"more": 1}}]


def test_a_chunk_is_split_into_commands() -> None:
    prepared = UpdatePreparer(Plain, ["n"], upsert=False).prepare(
        chunk({"n": [1, 2, None, 4], "at": [None] * 4}), NOW
    )
    assert [part.rows for part in prepared.split(2)] == [[0, 1], [3]]
    assert all(part.is_multi for part in prepared.split(2))
