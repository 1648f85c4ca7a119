"""Objects of stored documents, and the documents that objects would be stored as."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import bson
import pytest
from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from pydantic import BaseModel, Field

import loom_async as lm
from loom_async._core.bson_codec import encode_bson
from loom_async._core.model.document import baseline
from loom_async._core.model.write_plan import plan_persist

ID = ObjectId("0123456789abcdef01234567")


class Address(BaseModel):
    city: str = ""


class User(lm.PersistableBase):
    name: str = Field(validation_alias="n")
    price: Decimal = Decimal(0)
    key: UUID = UUID(int=0)
    at: datetime | None = None
    visits: lm.IncrCounter = 0
    groups: set[str] = set()
    notes: dict[str, Any] = {}
    address: Address = Address()


@lm.declare_persist_db("core", "animals", discriminator="kind")
class Animal(lm.PersistableBase):
    name: str = ""


class Dog(Animal, tag="dog"):
    pass


class Cat(Animal, tag="cat"):
    pass


STORED: dict[str, Any] = {
    "_id": ID,
    "n": "Ann",
    "price": bson.Decimal128("1.50"),
    "key": UUID(int=9),
    "at": datetime(2026, 1, 1, tzinfo=UTC),
}


@pytest.mark.parametrize(
    "form",
    [
        dict,
        encode_bson,
        lambda raw: bytearray(encode_bson(raw)),
        lambda raw: RawBSONDocument(encode_bson(raw)),
    ],
    ids=["dict", "bytes", "bytearray", "RawBSONDocument"],
)
def test_an_object_of_a_document_is_as_loaded(form: Any) -> None:
    user = User.from_doc(form(STORED))
    assert (user.id, user.name, user.price) == (ID, "Ann", Decimal("1.50"))
    assert (user.key, user.at) == (STORED["key"], STORED["at"])
    assert baseline(user) == encode_bson(STORED)
    assert plan_persist(user) is None


def test_a_document_with_a_naive_time_is_in_utc() -> None:
    user = User.from_doc({**STORED, "at": datetime(2026, 1, 1)})
    assert user.at == STORED["at"]


def test_an_unedited_object_dumps_its_stored_document() -> None:
    assert User.from_doc({**STORED, "unknown": 1}).dump_doc() == {**STORED, "unknown": 1}


def test_a_new_object_dumps_all_its_fields() -> None:
    dumped = User(id=ID, name="Ann", notes={"a.b": 1}).dump_doc()
    assert dumped["_id"] == ID
    assert (dumped["n"], dumped["notes"], dumped["address"]) == ("Ann", {"a.b": 1}, {"city": ""})


def test_a_dump_makes_the_edits_and_leaves_the_rest_as_stored() -> None:
    user = User.from_doc(
        {**STORED, "groups": ["b"], "notes": {"a.b": {"c": 1, "d": 2}}, "address": {"zip": "1"}}
    )
    user.visits += 2
    user.groups.add("a")
    user.notes["a.b"]["c"] = 3
    del user.notes["a.b"]["d"]
    user.address.city = "Brno"
    assert user.dump_doc() == {
        **STORED,
        "visits": 2,
        "groups": ["b", "a"],
        "notes": {"a.b": {"c": 3}},
        "address": {"zip": "1", "city": "Brno"},
    }


def test_a_dump_shares_nothing_with_the_object() -> None:
    user = User.from_doc({**STORED, "notes": {"a": [1]}})
    user.dump_doc()["notes"]["a"].append(2)
    assert user.notes == {"a": [1]}
    assert user.dump_doc()["notes"] == {"a": [1]}


def test_a_document_becomes_an_object_of_the_class_of_its_tag() -> None:
    for animal in (Animal(), Dog(), Cat()):
        assert type(Animal.from_doc(animal.dump_doc())) is type(animal)
    with pytest.raises(lm.InvalidDocument, match="is a Cat, not a Dog"):
        Dog.from_doc(Cat().dump_doc())


@pytest.mark.parametrize(
    ("raw", "error", "message"),
    [
        ({"n": "Ann"}, lm.InvalidDocument, "without _id"),
        ({"_id": ID}, lm.InvalidDocument, "does not fit User"),
        ({"_id": ID, "n": object()}, lm.EncodingError, "n"),
        (b"\x05\x00\x00\x00", lm.InvalidDocument, "cannot be read"),
        (encode_bson({"_id": ID}) + b"x", lm.InvalidDocument, "cannot be read"),
        ("text", TypeError, "not str"),
        (None, TypeError, "not NoneType"),
        ([("_id", ID)], TypeError, "not list"),
    ],
)
def test_other_values_are_refused(raw: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        User.from_doc(raw)
