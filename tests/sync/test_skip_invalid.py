# Generated from tests/aio/test_skip_invalid.py by `nox -s sync`: edit that file.
"""Queries with `on_invalid="skip"` leave out, log and count documents that do not fit the model."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from bson.datetime_ms import DatetimeMS
from pydantic import BaseModel, field_validator

import loom_sync as lm
from loom_sync import fld

pytestmark = pytest.mark.usefixtures("db")


@lm.declare_persist_db("shop", "readings")
class Reading(lm.PersistableBase):
    id: int
    value: int = 0
    at: datetime | None = None
    password: str = ""

    @field_validator("password")
    @classmethod
    def check_password(cls, value: str) -> str:
        if value.startswith("bad"):
            raise ValueError(f"{value} is too simple")
        return value


class Value(BaseModel):
    value: int


def stored(*bad: int, count: int = 6, field: str = "value", wrong: Any = "none") -> Any:
    """Store readings, of which some do not fit the model; return the query that skips those."""
    collection = Reading.get_db_collection()
    documents: list[dict[str, Any]] = [{"_id": i, "value": i} for i in range(count)]
    for i in bad:
        documents[i][field] = wrong
    collection.insert_many(documents)
    return Reading.filter().sort("id").options(on_invalid="skip")


def values(readings: Any) -> list[int]:
    return [reading.value for reading in readings]


def test_valid_documents_are_loaded() -> None:
    query = stored(1, 4)
    with lm.skipped_documents() as skipped:
        assert values(query.load_many()) == [0, 2, 3, 5]
    assert skipped.count == 2
    assert [error.id for error in skipped.errors] == [1, 4]
    assert list(skipped.errors[0].fields) == ["value"]
    with pytest.raises(lm.InvalidDocument):
        query.options(on_invalid="raise").load_many()
    with pytest.raises(lm.InvalidDocument):
        Reading.filter().load_many()


def test_loaded_objects_can_be_persisted() -> None:
    query = stored(1)
    for reading in query.load_many():
        assert reading.persist() is False
        reading.value += 10
        assert reading.persist()
    assert values(query.load_many()) == [10, 12, 13, 14, 15]


def test_every_way_to_load_skips() -> None:
    query = stored(0, 1, 5)
    with lm.skipped_documents() as skipped:
        first = query.load_one()
        assert first is not None
        assert first.value == 2
        assert skipped.count == 2
        assert values(list(query.stream())) == [2, 3, 4]
        assert skipped.count == 5
        assert values(query.load_latest(2)) == []
        assert skipped.count == 7
        assert values(query.sample(6).sort("id").load_many()) == [2, 3, 4]
        assert values(query.agg(lm.AggregationStages()).into(Value).load_many()) == [2, 3, 4]
        one = query.project("value").into(Value).load_one()
        assert one == Value(value=2)
        rows = list(query.project("value").into(Value).stream())
        assert values(rows) == [2, 3, 4]
    assert skipped.count == 7 + 3 + 3 + 2 + 3
    assert query.count() == 6
    assert len(query.load_docs()) == 6


def test_load_one_without_a_valid_document() -> None:
    query = stored(0, 1, 2, count=3)
    assert query.load_one() is None
    assert query.limit(1).load_one() is None
    assert query.load_many() == []


def test_many_batches() -> None:
    query = stored(3, 250, 899, count=900)
    with lm.skipped_documents() as skipped:
        found = values(query.options(batch_size=7).load_many())
        assert found == [i for i in range(900) if i not in (3, 250, 899)]
        assert values(query.load_many()) == found
    assert skipped.count == 6


@pytest.mark.parametrize("size", [1, 2, 4, 7])
def test_pages_have_every_valid_document_once(size: int) -> None:
    query = stored(0, 2, 3)
    found: list[int] = []
    token = None
    with lm.skipped_documents() as skipped:
        while True:
            page = query.page(size, token)
            assert len(page.items) <= size
            found += values(page.items)
            token = page.next
            if token is None:
                break
    assert found == [1, 4, 5]
    assert skipped.count == 3


def test_document_that_python_cannot_hold() -> None:
    query = stored(2, field="at", wrong=DatetimeMS(2**60))
    with lm.skipped_documents() as skipped:
        assert values(query.load_many()) == [0, 1, 3, 4, 5]
        assert values(query.page(6).items) == [0, 1, 3, 4, 5]
        at_the_bad_one = query.filter(fld["id"] >= 2)
        one = at_the_bad_one.load_one()
        assert one is not None
        assert one.value == 3
    assert [error.id for error in skipped.errors] == [2, 2, 2]
    with pytest.raises(lm.QueryError, match="9999"):
        Reading.filter().options(on_invalid="skip").sort("-at").page(2)
    times = Reading.filter(fld["at"] == datetime(2020, 1, 1, tzinfo=UTC))
    assert times.options(on_invalid="skip").load_many() == []


def test_log_has_the_id_and_the_reason_without_values(
    caplog: pytest.LogCaptureFixture,
) -> None:
    query = stored(1, field="password", wrong="bad hunter2")
    collection = Reading.get_db_collection()
    collection.update_one({"_id": 3}, {"$set": {"value": "hunter2"}})
    with caplog.at_level(logging.WARNING, "loom"):
        assert values(query.load_many()) == [0, 2, 4, 5]
    messages = [record.getMessage() for record in caplog.records if record.name == "loom"]
    assert len(messages) == 2
    assert "_id 1" in messages[0]
    assert "password" in messages[0]
    assert "_id 3" in messages[1]
    assert "value: Input should be a valid integer" in messages[1]
    assert "hunter2" not in caplog.text


def test_blocks_count_what_is_left_out_inside_them() -> None:
    query = stored(1)
    with lm.skipped_documents() as outer:
        query.load_many()
        with lm.skipped_documents() as inner:
            query.load_many()
            query.load_many()
        assert inner.count == 2
    assert outer.count == 3
    query.load_many()
    assert outer.count == 3


def test_errors_that_are_kept_are_limited() -> None:
    query = stored(*range(1_100), count=1_100)
    with lm.skipped_documents() as skipped:
        assert query.load_many() == []
    assert skipped.count == 1_100
    assert len(skipped.errors) == 1_000


@lm.declare_persist_db("shop", "animals", discriminator="kind")
class Animal(lm.PersistableBase):
    name: str


class Dog(Animal):
    barks: int


def test_unknown_tag_is_skipped() -> None:
    Animal.persist_many([Animal(name="a"), Dog(name="d", barks=1)])
    collection = Animal.get_db_collection()
    collection.insert_one({"_id": "x", "kind": "Unicorn", "name": "u"})
    collection.insert_one({"_id": "y", "kind": "Dog", "name": "u", "barks": "loud"})
    with lm.skipped_documents() as skipped:
        loaded = Animal.filter().options(on_invalid="skip").load_many()
    assert sorted(animal.name for animal in loaded) == ["a", "d"]
    assert {error.id for error in skipped.errors} == {"x", "y"}
