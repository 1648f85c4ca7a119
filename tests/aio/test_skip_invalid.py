"""Queries with `on_invalid="skip"` leave out, log and count documents that do not fit the model."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from bson.datetime_ms import DatetimeMS
from pydantic import BaseModel, field_validator

import loom_async as lm
from loom_async import fld

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


async def stored(*bad: int, count: int = 6, field: str = "value", wrong: Any = "none") -> Any:
    """Store readings, of which some do not fit the model; return the query that skips those."""
    collection = await Reading.get_db_collection()
    documents: list[dict[str, Any]] = [{"_id": i, "value": i} for i in range(count)]
    for i in bad:
        documents[i][field] = wrong
    await collection.insert_many(documents)
    return Reading.filter().sort("id").options(on_invalid="skip")


def values(readings: Any) -> list[int]:
    return [reading.value for reading in readings]


async def test_valid_documents_are_loaded() -> None:
    query = await stored(1, 4)
    with lm.skipped_documents() as skipped:
        assert values(await query.load_many()) == [0, 2, 3, 5]
    assert skipped.count == 2
    assert [error.id for error in skipped.errors] == [1, 4]
    assert list(skipped.errors[0].fields) == ["value"]
    with pytest.raises(lm.InvalidDocument):
        await query.options(on_invalid="raise").load_many()
    with pytest.raises(lm.InvalidDocument):
        await Reading.filter().load_many()


async def test_loaded_objects_can_be_persisted() -> None:
    query = await stored(1)
    for reading in await query.load_many():
        assert await reading.persist() is False
        reading.value += 10
        assert await reading.persist()
    assert values(await query.load_many()) == [10, 12, 13, 14, 15]


async def test_every_way_to_load_skips() -> None:
    query = await stored(0, 1, 5)
    with lm.skipped_documents() as skipped:
        first = await query.load_one()
        assert first is not None
        assert first.value == 2
        assert skipped.count == 2
        assert values([r async for r in query.stream()]) == [2, 3, 4]
        assert skipped.count == 5
        assert values(await query.load_latest(2)) == []
        assert skipped.count == 7
        assert values(await query.sample(6).sort("id").load_many()) == [2, 3, 4]
        assert values(await query.agg(lm.AggregationStages()).into(Value).load_many()) == [2, 3, 4]
        one = await query.project("value").into(Value).load_one()
        assert one == Value(value=2)
        rows = [row async for row in query.project("value").into(Value).stream()]
        assert values(rows) == [2, 3, 4]
    assert skipped.count == 7 + 3 + 3 + 2 + 3
    assert await query.count() == 6
    assert len(await query.load_docs()) == 6


async def test_load_one_without_a_valid_document() -> None:
    query = await stored(0, 1, 2, count=3)
    assert await query.load_one() is None
    assert await query.limit(1).load_one() is None
    assert await query.load_many() == []


async def test_many_batches() -> None:
    query = await stored(3, 250, 899, count=900)
    with lm.skipped_documents() as skipped:
        found = values(await query.options(batch_size=7).load_many())
        assert found == [i for i in range(900) if i not in (3, 250, 899)]
        assert values(await query.load_many()) == found
    assert skipped.count == 6


@pytest.mark.parametrize("size", [1, 2, 4, 7])
async def test_pages_have_every_valid_document_once(size: int) -> None:
    query = await stored(0, 2, 3)
    found: list[int] = []
    token = None
    with lm.skipped_documents() as skipped:
        while True:
            page = await query.page(size, token)
            assert len(page.items) <= size
            found += values(page.items)
            token = page.next
            if token is None:
                break
    assert found == [1, 4, 5]
    assert skipped.count == 3


async def test_document_that_python_cannot_hold() -> None:
    query = await stored(2, field="at", wrong=DatetimeMS(2**60))
    with lm.skipped_documents() as skipped:
        assert values(await query.load_many()) == [0, 1, 3, 4, 5]
        assert values((await query.page(6)).items) == [0, 1, 3, 4, 5]
        at_the_bad_one = query.filter(fld["id"] >= 2)
        one = await at_the_bad_one.load_one()
        assert one is not None
        assert one.value == 3
    assert [error.id for error in skipped.errors] == [2, 2, 2]
    with pytest.raises(lm.QueryError, match="9999"):
        await Reading.filter().options(on_invalid="skip").sort("-at").page(2)
    times = Reading.filter(fld["at"] == datetime(2020, 1, 1, tzinfo=UTC))
    assert await times.options(on_invalid="skip").load_many() == []


async def test_log_has_the_id_and_the_reason_without_values(
    caplog: pytest.LogCaptureFixture,
) -> None:
    query = await stored(1, field="password", wrong="bad hunter2")
    collection = await Reading.get_db_collection()
    await collection.update_one({"_id": 3}, {"$set": {"value": "hunter2"}})
    with caplog.at_level(logging.WARNING, "loom"):
        assert values(await query.load_many()) == [0, 2, 4, 5]
    messages = [record.getMessage() for record in caplog.records if record.name == "loom"]
    assert len(messages) == 2
    assert "_id 1" in messages[0]
    assert "password" in messages[0]
    assert "_id 3" in messages[1]
    assert "value: Input should be a valid integer" in messages[1]
    assert "hunter2" not in caplog.text


async def test_blocks_count_what_is_left_out_inside_them() -> None:
    query = await stored(1)
    with lm.skipped_documents() as outer:
        await query.load_many()
        with lm.skipped_documents() as inner:
            await query.load_many()
            await query.load_many()
        assert inner.count == 2
    assert outer.count == 3
    await query.load_many()
    assert outer.count == 3


async def test_errors_that_are_kept_are_limited() -> None:
    query = await stored(*range(1_100), count=1_100)
    with lm.skipped_documents() as skipped:
        assert await query.load_many() == []
    assert skipped.count == 1_100
    assert len(skipped.errors) == 1_000


@lm.declare_persist_db("shop", "animals", discriminator="kind")
class Animal(lm.PersistableBase):
    name: str


class Dog(Animal):
    barks: int


async def test_unknown_tag_is_skipped() -> None:
    await Animal.persist_many([Animal(name="a"), Dog(name="d", barks=1)])
    collection = await Animal.get_db_collection()
    await collection.insert_one({"_id": "x", "kind": "Unicorn", "name": "u"})
    await collection.insert_one({"_id": "y", "kind": "Dog", "name": "u", "barks": "loud"})
    with lm.skipped_documents() as skipped:
        loaded = await Animal.filter().options(on_invalid="skip").load_many()
    assert sorted(animal.name for animal in loaded) == ["a", "d"]
    assert {error.id for error in skipped.errors} == {"x", "y"}
