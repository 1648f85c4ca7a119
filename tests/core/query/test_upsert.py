"""What an upsert inserts besides the values of its filter and its update."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID, uuid4

import pytest
from bson import Decimal128, ObjectId
from pydantic import BaseModel, Field

import loom_async as lm
from loom_async import fld
from loom_async._core.query.query_update import UpdateArguments, compile_query_update
from loom_async._core.query.upsert import equalities

NOW = datetime(2024, 5, 1, tzinfo=UTC)


class Stats(BaseModel):
    seen: int = 1
    clicks: int = 2


class Address(BaseModel):
    city: str
    zip: str | None = None


class Visitor(lm.Persistable):
    email: lm.StrLower
    name: str = "new"
    price: Decimal = Decimal("1.50")
    tags: list[str] = Field(default_factory=lambda: ["a"])
    stats: Stats = Stats()
    address: Address | None = None
    notes: dict[str, Any] = Field(default_factory=lambda: {"a": 1, "b": 2})
    token: Annotated[str, lm.CoalesceOnInsert(lambda: "t")] = ""
    alias: str = Field(default="x", validation_alias="storedAs")


class Counted(lm.PersistableBase):
    id: UUID = Field(default_factory=uuid4)
    revision: lm.Revision
    n: int = 0


class Named(lm.PersistableBase):
    id: str
    n: int = 0


def insertion(query: Any, values: Any, **fields: Any) -> dict[str, Any]:
    """Return what the update of a query sets in a new document alone."""
    compiled = compile_query_update(
        query._model, query._spec.filter, UpdateArguments(values, fields, upsert=True), NOW
    )
    return compiled.update.get("$setOnInsert", {})


BY_EMAIL = Visitor.filter(fld["email"] == "A@X")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"a": 1}, {"a": 1}),
        ({"a": {"$eq": 1, "$gt": 0}}, {"a": 1}),
        ({"$and": [{"a": 1}, {"$and": [{"b.c": {"$eq": 2}}]}]}, {"a": 1, "b.c": 2}),
        ({"$or": [{"a": 1}]}, {"a": 1}),
        ({"$or": [{"a": 1}, {"a": 2}]}, {}),
        ({"a": {"$in": [1]}, "b": {"$all": [2]}}, {"a": 1, "b": 2}),
        ({"a": {"$in": [1, 2]}, "b": {"$gt": 2}, "$nor": [{"c": 1}]}, {}),
        ({"a": re.compile("x")}, {}),
        ({"a": {"b": 1}, "c": None}, {"a": {"b": 1}, "c": None}),
        ({"a": {"$elemMatch": {"b": 1}}}, {}),
    ],
    ids=repr,
)
def test_equalities_are_those_that_mongodb_stores(condition: Any, expected: Any) -> None:
    assert equalities(condition) == expected


def test_all_other_fields_get_defaults_and_times() -> None:
    found = insertion(BY_EMAIL, {"name": "Ann"})
    assert isinstance(found.pop("_id"), ObjectId)
    assert found == {
        "created_at": NOW,
        "price": Decimal128("1.50"),
        "tags": ["a"],
        "stats": {"seen": 1, "clicks": 2},
        "address": None,
        "notes": {"a": 1, "b": 2},
        "token": "t",
        "storedAs": "x",
    }


def test_values_of_filter_and_update_are_kept() -> None:
    values = {"$inc": {"stats.seen": 1}, "$push": {"tags": "b"}, "$setOnInsert": {"name": "Eve"}}
    found = insertion(BY_EMAIL.filter(fld["address.city"] == "Brno"), values)
    assert found["stats.clicks"] == 2
    assert found["address.zip"] is None
    assert found["name"] == "Eve"
    assert not found.keys() & {"stats", "stats.seen", "tags", "address", "address.city", "email"}


def test_parts_of_a_dict_default_are_kept() -> None:
    found = insertion(BY_EMAIL, {"notes.a": 5})
    assert found["notes.b"] == 2
    assert not found.keys() & {"notes", "notes.a"}


def test_ids_come_from_the_filter_or_the_default() -> None:
    assert isinstance(insertion(Counted.filter(), {"n": 1})["_id"], UUID)
    assert "revision" not in insertion(Counted.filter(), {"n": 1})  # $inc begins with 1
    assert insertion(Named.filter(fld["id"] == "a"), {"n": 1}) == {}
    with pytest.raises(lm.QueryError, match="lack _id"):
        insertion(Named.filter(fld["n"] > 3), {"n": 1})


@pytest.mark.parametrize(
    ("query", "values", "missing"),
    [
        (Visitor.filter(), {"name": "Ann"}, "email"),
        (Visitor.filter(fld["email"] != "a"), {"name": "Ann"}, "email"),
        (BY_EMAIL, {"$unset": {"email": ""}}, "email"),
        (Visitor.filter(), {"$pull": {"tags": "a"}, "$rename": {"email": "name"}}, "email"),
        (BY_EMAIL, {"address.zip": "1"}, "address.city"),
    ],
    ids=repr,
)
def test_missing_required_fields_are_refused(query: Any, values: Any, missing: str) -> None:
    with pytest.raises(lm.QueryError, match=f"lack {missing}:"):
        insertion(query, values)


def test_required_fields_may_come_from_the_update() -> None:
    assert "email" not in insertion(Visitor.filter(), {"email": "a"})
    assert insertion(Visitor.filter(), {"$setOnInsert": {"email": "A"}, "$inc": {"stats.seen": 1}})[
        "email"
    ] == "a"  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (fld["tags"] == "a", "tags"),
        (fld["tags.0"] == "a", "elements of tags"),
        (fld["email"] == None, "email"),
    ],
    ids=repr,
)
def test_conditions_that_are_no_values_are_refused(condition: Any, message: str) -> None:
    with pytest.raises(lm.QueryError, match=message):
        insertion(Visitor.filter(condition), {"$set": {"name": "x"}})


def test_a_value_that_the_update_replaces_may_be_anything() -> None:
    found = insertion(BY_EMAIL.filter(fld["tags"] == "a"), {"tags": ["a"]})
    assert "tags" not in found


@lm.declare_persist_db("zoo", "animals", discriminator="kind")
class Animal(lm.PersistableBase):
    name: str = ""


class Dog(Animal):
    tricks: int = 0


def test_the_tag_of_the_class_is_set() -> None:
    assert insertion(Dog.filter(), {"tricks": 1})["kind"] == "Dog"
    assert insertion(Animal.filter(), {"name": "x"})["kind"] == "Animal"
    with pytest.raises(lm.QueryError, match="tag 'Dog'"):
        insertion(Animal.filter(lm.raw({"kind": "Dog"})), {"name": "x"})
