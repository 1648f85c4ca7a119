"""`get_or_create`: one object for each natural key."""

from __future__ import annotations

from typing import Any

import pytest
from bson import ObjectId
from pydantic import Field

import loom_async as lm
from loom_async import fld
from tests.commands import commands_of

pytestmark = pytest.mark.usefixtures("db")


@lm.declare_persist_db(
    "shop",
    "members",
    index=[
        lm.Index("email", unique=True),
        lm.Index("nick", unique=True, partial={"nick": {"$type": "string"}}),
        lm.Index("-town", "number", unique=True, partial={"town": {"$type": "string"}}),
        lm.Index("phone", unique=True, partial={"visits": {"$gt": 3}}),
        lm.Index("alias", unique=True, collation={"locale": "en", "strength": 2}),
        lm.Index("name"),
    ],
)
class Member(lm.Persistable):
    email: lm.StrLower
    name: str
    nick: str | None = None
    town: str | None = None
    number: int | None = None
    phone: str | None = None
    visits: lm.IncrCounter = 0
    revision: lm.Revision
    alias: str = Field(default_factory=lambda: str(ObjectId()))


@lm.declare_persist_db("shop", "codes", index=[lm.Index("code", unique=True)])
class Code(lm.PersistableBase):
    id: str
    code: int
    calls: list[str] = []

    def before_persist(self) -> None:
        self.calls.append("before_persist")

    def after_load(self) -> None:
        self.calls.append("after_load")


@lm.declare_persist_db("shop", "pets", index=[lm.Index("name", unique=True)], discriminator="kind")
class Pet(lm.PersistableBase):
    name: str


class Cat(Pet):
    lives: int = 9


class Dog(Pet):
    tricks: int = 0


@lm.declare_persist_db("shop", "log", index=[lm.Index("key", unique=True)])
class Log(lm.LedgerModel):
    key: str


async def test_an_object_is_created_once() -> None:
    made, is_new = await Member.get_or_create({"email": "A@X"}, {"name": "Ann", "visits": 3})
    assert is_new is True
    assert (made.email, made.name, made.visits, made.revision) == ("a@x", "Ann", 3, 1)
    assert made.created_at == made.updated_time
    again, is_new = await Member.get_or_create({"email": "a@X"}, defaults={"name": "Bea"})
    assert is_new is False
    assert again == made
    again.visits += 1
    assert await again.persist() is True
    assert await Member.filter().count() == 1


async def test_an_existing_object_needs_no_defaults() -> None:
    await Member(email="a", name="Ann").persist()
    found, is_new = await Member.get_or_create({"email": "A"})
    assert (found.name, is_new) == ("Ann", False)
    with pytest.raises(lm.QueryError, match="name: Field required"):
        await Member.get_or_create({"email": "b"})
    with pytest.raises(lm.QueryError, match="visits"):
        await Member.get_or_create({"email": "b"}, {"name": "x", "visits": "many"})
    assert await Member.filter().count() == 1


async def test_keys_of_several_fields_and_of_the_id() -> None:
    key: dict[str, Any] = {"number": 3, "town": "Brno"}
    made, is_new = await Member.get_or_create(key, {"email": "a", "name": "Ann"})
    assert (is_new, made.town, made.number) == (True, "Brno", 3)
    assert await Member.get_or_create({"town": "Brno", "number": "3"}) == (made, False)
    assert await Member.get_or_create({"id": made.id}) == (made, False)
    assert await Member.get_or_create({"_id": str(made.id)}) == (made, False)


async def test_values_are_read_as_the_field_reads_them() -> None:
    first, is_new = await Code.get_or_create({"code": 7}, {"id": "a"})
    assert is_new
    again, is_new = await Code.get_or_create({"code": "7"}, {"id": "b"})
    assert (again.id, is_new) == (first.id, False)


async def test_hooks_run_as_for_insert_and_load() -> None:
    made, _ = await Code.get_or_create({"code": 7}, {"id": "a"})
    assert made.calls == ["before_persist"]
    found, _ = await Code.get_or_create({"code": 7})
    assert found.calls == ["before_persist", "after_load"]


@pytest.mark.parametrize(
    ("key", "defaults", "error", "message"),
    [
        ({"name": "Ann"}, {}, lm.ConfigurationError, 'Index("name", unique=True)'),
        ({"email": "a", "nick": "b"}, {}, lm.ConfigurationError, "no declared index"),
        ({"town": "a"}, {}, lm.ConfigurationError, "no declared index"),
        ({"phone": "a"}, {}, lm.ConfigurationError, "covers only some documents"),
        ({"alias": "a"}, {}, lm.ConfigurationError, "has a collation"),
        ({"emial": "a"}, {}, lm.UnknownFieldError, "email"),
        ({"email": "a"}, {"nmae": "Ann"}, lm.UnknownFieldError, "name"),
        ({"email": "a"}, {"email": "b"}, lm.QueryError, "in defaults"),
        ({"email": None}, {}, lm.QueryError, "email=None"),
        ({"email.x": "a"}, {}, lm.QueryError, "whole fields"),
        ({}, {}, lm.QueryError, "needs a field"),
        ({"id": "a"}, {}, lm.QueryError, "cannot be the id"),
        ({"id": "5" * 24, "_id": "5" * 24}, {}, lm.QueryError, "two values"),
        ("email", {}, lm.QueryError, "values by field"),
        ({"email": "a"}, ["name"], lm.QueryError, "values by field"),
    ],
    ids=repr,
)
async def test_bad_arguments_send_nothing(
    key: Any, defaults: Any, error: Any, message: str, client: Any
) -> None:
    with commands_of(client) as sent, pytest.raises(error) as caught:
        await Member.get_or_create(key, defaults)
    assert message in str(caught.value)
    assert sent == []


async def test_a_duplicate_in_another_index_is_an_error() -> None:
    await Member(email="a", name="Ann", nick="ann").persist()
    with pytest.raises(lm.DuplicateKey) as caught:
        await Member.get_or_create({"email": "b"}, {"name": "Bea", "nick": "ann"})
    assert caught.value.key == {"nick": "ann"}


async def test_another_class_of_the_family_has_the_key() -> None:
    dog, is_new = await Dog.get_or_create({"name": "Rex"}, {"tricks": 2})
    assert is_new
    assert await Pet.get_or_create({"name": "Rex"}) == (dog, False)
    with pytest.raises(lm.DuplicateKey):
        await Cat.get_or_create({"name": "Rex"})


async def test_ledgers_insert() -> None:
    first, is_new = await Log.get_or_create({"key": "a"})
    assert is_new
    assert await Log.get_or_create({"key": "a"}) == (first, False)


async def test_a_transaction_takes_the_object_back() -> None:
    kept: list[Member] = []

    async def fail() -> None:
        async with lm.transaction():
            made, is_new = await Member.get_or_create({"email": "a"}, {"name": "Ann"})
            assert is_new
            assert await Member.get_or_create({"email": "a"}) == (made, False)
            kept.append(made)
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert await Member.filter().count() == 0
    (made,) = kept
    assert await made.persist() is True
    assert await Member.filter(fld["email"] == "a").count() == 1
