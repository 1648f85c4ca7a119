"""Single documents: persist, reload, delete and from_id."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId
from pydantic import BaseModel, Field

import loom_async as lm
from loom_async import fld
from tests.aio._concurrency import together
from tests.commands import commands_of

pytestmark = pytest.mark.usefixtures("db")


class Address(BaseModel):
    city: str
    zip: str | None = None


@lm.declare_persist_db("shop", "users")
class User(lm.Persistable):
    name: str
    email: lm.StrLower = "a@b.c"
    age: int = 0
    address: Address = Field(default_factory=lambda: Address(city="Prague"))
    tags: list[str] = Field(default_factory=list)
    labels: set[str] = Field(default_factory=set)
    meta: dict[str, Any] = Field(default_factory=dict)
    visits: lm.IncrCounter = 0


async def stored(user: lm.PersistableBase) -> dict[str, Any]:
    docs = await type(user).filter(fld["id"] == user.id).load_docs()
    return docs[0]


async def test_a_new_object_is_inserted_once_and_equals_its_reload() -> None:
    user = User(name="Ann", email="Ann@X.org")
    assert await user.persist() is True
    assert await user.persist() is False
    assert user.created_at is not None
    assert user.created_at == user.updated_time
    assert user.created_at.tzinfo is not None
    loaded = await User.from_id(user.id)
    assert loaded == user
    assert loaded is not None
    assert loaded.email == "ann@x.org"
    assert await loaded.persist() is False
    assert await User.from_id(str(user.id)) == user


async def test_an_update_sends_only_the_edits(client: Any) -> None:
    user = User(name="Ann", tags=["a"], meta={"x": {"y": 1, "z": 2}, "gone": 1})
    await user.persist()
    user.address.city = "Brno"
    user.tags.append("b")
    user.labels.add("l")
    user.meta["x"]["y"] = 5
    del user.meta["gone"]
    user.visits += 2
    with commands_of(client, "findAndModify") as sent:
        await user.persist()
    (command,) = sent
    update = command["update"]
    assert update.pop("$set").keys() == {"address.city", "meta.x.y", "updated_time"}
    assert update == {
        "$push": {"tags": {"$each": ["b"]}},
        "$addToSet": {"labels": {"$each": ["l"]}},
        "$unset": {"meta.gone": ""},
        "$inc": {"visits": 2},
    }
    assert await User.from_id(user.id) == user


async def test_an_unchanged_object_sends_no_command(client: Any) -> None:
    user = User(name="Ann")
    await user.persist()
    with commands_of(client) as sent:
        user.age = user.age
        assert await user.persist() is False
    assert sent == []


async def test_writers_of_different_fields_do_not_overwrite_each_other() -> None:
    user = User(name="Ann", meta={"a": 1, "b": 1})
    await user.persist()
    first, second = await User.from_id(user.id), await User.from_id(user.id)
    assert first is not None
    assert second is not None
    first.name, second.age = "Bea", 7
    first.address.city, second.address.zip = "Brno", "602 00"
    first.meta["a"], second.meta["b"] = 2, 3
    await first.persist()
    await second.persist()
    assert await User.from_id(user.id) == second
    assert (second.name, second.age) == ("Bea", 7)
    assert second.address == Address(city="Brno", zip="602 00")
    assert second.meta == {"a": 2, "b": 3}


@pytest.mark.parametrize(
    "key", ["a.b", "$set", "", "$", ".", "a..b", "0", "x$", "$where", "ä.ö", "_id", "a b"]
)
async def test_odd_keys(key: str) -> None:
    user = User(name="Ann", meta={"keep": 1})
    await user.persist()
    user.meta[key] = {"n": 1}
    await user.persist()
    assert (await stored(user))["meta"] == {"keep": 1, key: {"n": 1}}
    other = await User.from_id(user.id)
    assert other is not None
    other.meta[key]["n"] = {"deep.er": 2}
    other.visits += 1
    other.tags.append("t")
    await other.persist()
    assert (await stored(user))["meta"] == {"keep": 1, key: {"n": {"deep.er": 2}}}
    del other.meta[key]
    await other.persist()
    assert (await stored(user))["meta"] == {"keep": 1}
    assert await User.from_id(user.id) == other


async def test_null_and_missing_fields_stay_distinct() -> None:
    user = User(name="Ann", meta={"null": None, "empty": {}})
    await user.persist()
    assert (await stored(user))["meta"] == {"null": None, "empty": {}}
    await User.filter().update({"$unset": {"address.zip": ""}})
    loaded = await User.from_id(user.id)
    assert loaded is not None
    assert loaded.address.zip is None
    loaded.name = "Bea"
    await loaded.persist()
    assert "zip" not in (await stored(user))["address"]


async def test_defaults_of_missing_fields_are_not_written() -> None:
    user = User(name="Ann")
    await user.persist()
    await User.filter().update({"$unset": {"tags": "", "address": "", "visits": ""}})
    loaded = await User.from_id(user.id)
    assert loaded is not None
    assert await loaded.persist() is False
    loaded.tags.append("new")
    loaded.address.city = "Brno"
    loaded.visits += 3
    await loaded.persist()
    doc = await stored(user)
    assert doc["tags"] == ["new"]
    assert doc["address"] == {"city": "Brno", "zip": None}
    assert doc["visits"] == 3


async def test_a_value_that_validation_normalises_is_not_an_edit() -> None:
    user = User(name="Ann")
    await user.persist()
    await (
        User.filter()
        .agg(lm.AggregationStages().set({"email": "SHOUT@X.ORG", "age": "41"}))
        .merge_into(User)
    )
    loaded = await User.from_id(user.id)
    assert loaded is not None
    assert (loaded.email, loaded.age) == ("shout@x.org", 41)
    assert await loaded.persist() is False


async def test_a_document_with_a_given_id_is_upserted() -> None:
    key = ObjectId()
    await User(id=key, name="Ann").persist()
    await User(id=key, name="Bea").persist()
    assert await User.filter().count() == 1
    found = await User.from_id(key)
    assert found is not None
    assert found.name == "Bea"


async def test_a_document_deleted_by_another_client() -> None:
    user = User(name="Ann")
    await user.persist()
    other = await User.from_id(user.id)
    assert other is not None
    assert await other.delete() is True
    assert await other.delete() is False
    user.name = "Bea"
    with pytest.raises(lm.DocumentNotFound) as caught:
        await user.persist()
    assert caught.value.id == user.id
    assert isinstance(caught.value, LookupError)
    assert await User.filter().count() == 0
    with pytest.raises(lm.DocumentNotFound):
        await user.reload()


@pytest.mark.parametrize("bad", [None, "xyz", 3, b"12", object()])
async def test_from_id_refuses_an_impossible_id(bad: Any) -> None:
    with pytest.raises(lm.InvalidId):
        await User.from_id(bad)


async def test_from_id_returns_none_for_an_unknown_id() -> None:
    assert await User.from_id(ObjectId()) is None


async def test_concurrent_increments_add_up() -> None:
    user = User(name="Ann", visits=10)
    await user.persist()
    assert (await stored(user))["visits"] == 10

    async def increment() -> None:
        user_copy = await User.from_id(user.id)
        assert user_copy is not None
        for _ in range(50):
            user_copy.visits += 1
            await user_copy.persist()

    await together(*[increment] * 20)
    await user.reload()
    assert user.visits == 1010
    user.visits -= 1010
    await user.persist()
    user.visits = 5
    await user.persist()
    assert (await stored(user))["visits"] == 5


async def test_reload_updates_nested_objects_in_place() -> None:
    user = User(name="Ann")
    await user.persist()
    address = user.address
    other = await User.from_id(user.id)
    assert other is not None
    other.address.city = "Brno"
    await other.persist()
    await user.reload()
    assert user.address is address
    assert address.city == "Brno"


async def test_times_come_from_the_clock_of_the_settings() -> None:
    moment = datetime(2030, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)
    with lm.config_context(clock=lambda: moment):
        user = User(name="Ann")
        await user.persist()
    assert user.created_at == datetime(2030, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)
    assert await User.from_id(user.id) == user
    assert user.updated_time == user.created_at
    with lm.config_context(clock=lambda: moment + timedelta(days=1)):
        user.age = 3
        await user.persist()
    assert user.updated_time - user.created_at == timedelta(days=1)


async def test_the_error_names_the_path_of_an_unstorable_value() -> None:
    user = User(name="Ann", meta={"deep": [1, {"big": 2**70}]})
    with pytest.raises(lm.EncodingError, match=r"meta\.deep\.1\.big"):
        await user.persist()
    assert await User.filter().count() == 0
    assert user.created_at is None


async def test_changing_the_id_of_a_loaded_object() -> None:
    user = User(name="Ann")
    await user.persist()
    user.id = ObjectId()
    with pytest.raises(lm.InvalidId):
        await user.persist()


async def test_a_copy_keeps_the_baseline() -> None:
    user = User(name="Ann", visits=1)
    await user.persist()
    copy = user.model_copy(update={"age": 9})
    assert await copy.persist() is True
    await user.reload()
    assert user.age == 9


async def test_a_document_that_fails_validation(client: Any, db: str) -> None:
    await client[db].users.insert_one({"_id": 7, "age": "many"})
    with pytest.raises(lm.InvalidDocument) as caught:
        await User.filter().load_many()
    assert caught.value.id == 7
    assert caught.value.fields.keys() == {"_id", "name", "age"}


async def test_undeclared_model() -> None:
    class Undeclared(lm.Persistable):
        name: str

    with pytest.raises(lm.ConfigurationError, match="declare_persist_db"):
        await Undeclared(name="x").persist()
