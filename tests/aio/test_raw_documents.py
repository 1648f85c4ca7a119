"""`dump_doc` and `from_doc`: documents of objects, and objects of documents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import bson
import pytest
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pydantic import BaseModel, ConfigDict, Field
from pymongo import AsyncMongoClient

import loom_async as lm
from tests.commands import commands_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Address(BaseModel):
    city: str = ""
    zip: str | None = None


@lm.declare_persist_db("raw_none", "users", version=1)
class User(lm.Persistable):
    model_config = ConfigDict(extra="allow")
    name: str = Field(alias="n")
    key: UUID = UUID(int=1)
    price: Decimal = Decimal("1.50")
    tags: list[str] = []
    groups: set[str] = set()
    notes: dict[str, Any] = {}
    home: Address = Address()
    visits: lm.IncrCounter = 0
    revision: lm.Revision = Field(default=cast("Any", None))


@lm.declare_persist_db("raw_none", "animals", discriminator="kind")
class Animal(lm.PersistableBase):
    name: str


class Dog(Animal, tag="dog"):
    loaded: bool = False

    def after_load(self) -> None:
        self.loaded = True


class Cat(Animal, tag="cat"):
    lives: int = 9


@lm.declare_persist_db("raw_none", "rates")
class Rate(lm.LedgerModel):
    percent: float


@pytest.fixture(autouse=True)
def fixed_clock() -> Iterator[None]:
    """The clock always returns noon."""
    with lm.config_context(clock=lambda: NOON):
        yield


async def stored(model: type[lm.PersistableBase], id: object) -> dict[str, Any]:
    found = await (await model.get_db_collection()).find_one({"_id": id})
    assert found is not None
    return found


async def test_a_new_object_dumps_the_inserted_document(db: str) -> None:
    user = User(n="Ann", home=Address(city="Brno"), nickname="A")  # type: ignore[call-arg]
    dumped = user.dump_doc()
    assert user.created_at is None
    await user.persist()
    assert dumped == await stored(User, user.id)
    assert dumped["n"] == "Ann"
    assert dumped["created_at"] == NOON
    assert dumped["revision"] == 1
    assert next(iter(dumped)) == "_id"


async def test_a_loaded_object_dumps_the_stored_document(db: str) -> None:
    collection = await User.get_db_collection()
    await collection.insert_one({"_id": (id := bson.ObjectId()), "n": "Ann", "home": {}, "b": 1})
    user = await User.from_id(id)
    assert user is not None
    before = await stored(User, id)
    assert user.dump_doc() == before, "defaults are stored only after an edit"
    user.tags.append("x")
    user.home.city = "Brno"
    user.visits += 2
    user.groups.add("g")
    user.notes = {"a.b": {"$c": 1}}
    user.price = Decimal("2.00")
    dumped = user.dump_doc()
    await user.persist()
    assert dumped == await stored(User, id)
    assert "zip" not in dumped["home"]
    del user.notes["a.b"]["$c"]
    del user.b  # type: ignore[attr-defined]
    dumped = user.dump_doc()
    await user.persist()
    assert dumped == await stored(User, id)
    assert "b" not in dumped


async def test_a_dumped_document_is_a_copy(db: str) -> None:
    user = User(n="Ann", tags=["a"])
    user.dump_doc()["tags"].append("b")
    assert user.tags == ["a"]
    await user.persist()
    user.dump_doc()["tags"].append("b")
    assert user.dump_doc()["tags"] == ["a"]
    assert await user.persist() is False


async def test_a_ledger_dumps_its_next_version(db: str) -> None:
    rate = Rate(percent=1.5)
    first = rate.dump_doc()
    await rate.persist()
    assert first == await stored(Rate, rate.id)
    second = rate.dump_doc()
    assert second["_id"] != first["_id"]
    assert {**second, "_id": 0} == {**first, "_id": 0}


async def test_dump_doc_names_unstorable_values(db: str) -> None:
    with pytest.raises(lm.EncodingError) as caught:
        User(n="Ann", notes={"a": 2**70}).dump_doc()
    assert caught.value.path == "notes.a"
    user = User(n="Ann")
    await user.persist()
    user.id = bson.ObjectId()
    with pytest.raises(lm.InvalidId):
        user.dump_doc()


@pytest.mark.parametrize("document_type", [dict, RawBSONDocument, bytes, bytearray])
async def test_from_doc_returns_objects_like_loaded_ones(
    client: Any, db: str, document_type: Any
) -> None:
    user = User(n="Ann", tags=["a"], key=UUID(int=9), home=Address(city="Brno"), more=1)  # type: ignore[call-arg]
    await user.persist()
    raw = bson.encode(await stored(User, user.id), codec_options=uuid_options())
    found = User.from_doc(document_type(raw) if document_type is not dict else bson.decode(raw))
    assert found == user
    with commands_of(client) as sent:
        assert await found.persist() is False
        assert sent == []
        found.tags.append("b")
        found.home.city = "Praha"
        await found.persist()
    (command,) = sent
    assert "'Ann'" not in repr(command)
    changed = await stored(User, user.id)
    assert (changed["tags"], changed["home"]["city"], changed["revision"]) == (
        ["a", "b"],
        "Praha",
        2,
    )


def uuid_options() -> CodecOptions[Any]:
    return CodecOptions(uuid_representation=bson.binary.UuidRepresentation.STANDARD)


async def test_from_doc_accepts_documents_of_other_clients(db: str, mongo_uri: str) -> None:
    """With pymongo's defaults, datetimes are naive and UUIDs are binary values."""
    user = User(n="Ann", key=UUID(int=9), notes={"at": NOON})
    await user.persist()
    async with AsyncMongoClient[dict[str, Any]](mongo_uri) as plain:
        raw = await plain[db]["users_v1"].find_one({"_id": user.id})
    assert raw is not None
    assert raw["created_at"].tzinfo is None
    found = User.from_doc(raw)
    assert found == user
    assert found.notes["at"] == NOON
    assert await found.persist() is False


async def test_dump_doc_and_from_doc_are_inverse(db: str) -> None:
    user = User(n="Ann", notes={"deep": [{"a": 1}]})
    again = User.from_doc(user.dump_doc())
    assert again.notes == user.notes
    assert again.created_at == NOON
    again.name = "Bea"
    with pytest.raises((lm.DocumentNotFound, lm.StaleDocument)):
        await again.persist()


async def test_from_doc_returns_an_object_of_the_tagged_class(db: str) -> None:
    for animal in (Animal(name="a"), Dog(name="d"), Cat(name="c", lives=7)):
        raw = animal.dump_doc()
        assert type(Animal.from_doc(raw)) is type(animal)
        assert type(type(animal).from_doc(raw)) is type(animal)
    with pytest.raises(lm.InvalidDocument, match=r"is a Cat, not a Dog"):
        Dog.from_doc(Cat(name="c").dump_doc())
    with pytest.raises(lm.InvalidDocument, match="has the tag 'cow'"):
        Animal.from_doc({"_id": bson.ObjectId(), "name": "x", "kind": "cow"})


async def test_from_doc_runs_no_hooks(db: str) -> None:
    assert Dog.from_doc(Dog(name="d").dump_doc()).loaded is False


async def test_an_object_of_a_ledger_document_persists_a_new_version(db: str) -> None:
    rate = Rate(percent=1.5)
    await rate.persist()
    found = Rate.from_doc(await stored(Rate, rate.id))
    found.percent = 2.5
    await found.persist()
    assert found.id != rate.id
    assert [version.percent for version in await found.history()] == [1.5]


async def test_from_doc_refuses_invalid_documents() -> None:
    id = bson.ObjectId()
    with pytest.raises(lm.InvalidDocument, match=r"does not fit User: n: ") as caught:
        User.from_doc({"_id": id})
    assert caught.value.id == id
    with pytest.raises(lm.InvalidDocument, match="without _id"):
        User.from_doc({"n": "Ann", "id": id})
    with pytest.raises(lm.EncodingError, match=r"notes"):
        User.from_doc({"_id": id, "n": "Ann", "notes": {"a": object()}})
    with pytest.raises(lm.InvalidDocument, match="cannot be read"):
        User.from_doc(b"\x05\x00\x00\x00")
    out_of_range = bson.encode({"_id": id, "n": "Ann", "at": bson.DatetimeMS(2**60)})
    with pytest.raises(lm.InvalidDocument, match="cannot be read"):
        User.from_doc(out_of_range)
    for wrong in ("text", None, 5, [("_id", id)]):
        with pytest.raises(TypeError, match="from_doc takes"):
            User.from_doc(cast("Any", wrong))
