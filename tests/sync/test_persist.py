# Generated from tests/aio/test_persist.py by `nox -s sync`: edit that file.
"""Single documents: persist, reload, delete and from_id."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId
from pydantic import BaseModel, Field

import loom_sync as lm
from loom_sync import fld
from tests.commands import commands_of
from tests.sync._concurrency import together

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


def stored(user: lm.PersistableBase) -> dict[str, Any]:
    docs = type(user).filter(fld["id"] == user.id).load_docs()
    return docs[0]


def test_a_new_object_is_inserted_once_and_equals_its_reload() -> None:
    user = User(name="Ann", email="Ann@X.org")
    assert user.persist() is True
    assert user.persist() is False
    assert user.created_at is not None
    assert user.created_at == user.updated_time
    assert user.created_at.tzinfo is not None
    loaded = User.from_id(user.id)
    assert loaded == user
    assert loaded is not None
    assert loaded.email == "ann@x.org"
    assert loaded.persist() is False
    assert User.from_id(str(user.id)) == user


def test_an_update_sends_only_the_edits(client: Any) -> None:
    user = User(name="Ann", tags=["a"], meta={"x": {"y": 1, "z": 2}, "gone": 1})
    user.persist()
    user.address.city = "Brno"
    user.tags.append("b")
    user.labels.add("l")
    user.meta["x"]["y"] = 5
    del user.meta["gone"]
    user.visits += 2
    with commands_of(client, "findAndModify") as sent:
        user.persist()
    (command,) = sent
    update = command["update"]
    assert update.pop("$set").keys() == {"address.city", "meta.x.y", "updated_time"}
    assert update == {
        "$push": {"tags": {"$each": ["b"]}},
        "$addToSet": {"labels": {"$each": ["l"]}},
        "$unset": {"meta.gone": ""},
        "$inc": {"visits": 2},
    }
    assert User.from_id(user.id) == user


def test_an_unchanged_object_sends_no_command(client: Any) -> None:
    user = User(name="Ann")
    user.persist()
    with commands_of(client) as sent:
        user.age = user.age
        assert user.persist() is False
    assert sent == []


def test_writers_of_different_fields_do_not_overwrite_each_other() -> None:
    user = User(name="Ann", meta={"a": 1, "b": 1})
    user.persist()
    first, second = User.from_id(user.id), User.from_id(user.id)
    assert first is not None
    assert second is not None
    first.name, second.age = "Bea", 7
    first.address.city, second.address.zip = "Brno", "602 00"
    first.meta["a"], second.meta["b"] = 2, 3
    first.persist()
    second.persist()
    assert User.from_id(user.id) == second
    assert (second.name, second.age) == ("Bea", 7)
    assert second.address == Address(city="Brno", zip="602 00")
    assert second.meta == {"a": 2, "b": 3}


@pytest.mark.parametrize(
    "key", ["a.b", "$set", "", "$", ".", "a..b", "0", "x$", "$where", "ä.ö", "_id", "a b"]
)
def test_odd_keys(key: str) -> None:
    user = User(name="Ann", meta={"keep": 1})
    user.persist()
    user.meta[key] = {"n": 1}
    user.persist()
    assert stored(user)["meta"] == {"keep": 1, key: {"n": 1}}
    other = User.from_id(user.id)
    assert other is not None
    other.meta[key]["n"] = {"deep.er": 2}
    other.visits += 1
    other.tags.append("t")
    other.persist()
    assert stored(user)["meta"] == {"keep": 1, key: {"n": {"deep.er": 2}}}
    del other.meta[key]
    other.persist()
    assert stored(user)["meta"] == {"keep": 1}
    assert User.from_id(user.id) == other


def test_null_and_missing_fields_stay_distinct() -> None:
    user = User(name="Ann", meta={"null": None, "empty": {}})
    user.persist()
    assert stored(user)["meta"] == {"null": None, "empty": {}}
    User.filter().update({"$unset": {"address.zip": ""}})
    loaded = User.from_id(user.id)
    assert loaded is not None
    assert loaded.address.zip is None
    loaded.name = "Bea"
    loaded.persist()
    assert "zip" not in stored(user)["address"]


def test_defaults_of_missing_fields_are_not_written() -> None:
    user = User(name="Ann")
    user.persist()
    User.filter().update({"$unset": {"tags": "", "address": "", "visits": ""}})
    loaded = User.from_id(user.id)
    assert loaded is not None
    assert loaded.persist() is False
    loaded.tags.append("new")
    loaded.address.city = "Brno"
    loaded.visits += 3
    loaded.persist()
    doc = stored(user)
    assert doc["tags"] == ["new"]
    assert doc["address"] == {"city": "Brno", "zip": None}
    assert doc["visits"] == 3


def test_a_value_that_validation_normalises_is_not_an_edit() -> None:
    user = User(name="Ann")
    user.persist()
    (
        User.filter()
        .agg(lm.AggregationStages().set({"email": "SHOUT@X.ORG", "age": "41"}))
        .merge_into(User)
    )
    loaded = User.from_id(user.id)
    assert loaded is not None
    assert (loaded.email, loaded.age) == ("shout@x.org", 41)
    assert loaded.persist() is False


def test_a_document_with_a_given_id_is_upserted() -> None:
    key = ObjectId()
    User(id=key, name="Ann").persist()
    User(id=key, name="Bea").persist()
    assert User.filter().count() == 1
    found = User.from_id(key)
    assert found is not None
    assert found.name == "Bea"


def test_a_document_deleted_by_another_client() -> None:
    user = User(name="Ann")
    user.persist()
    other = User.from_id(user.id)
    assert other is not None
    assert other.delete() is True
    assert other.delete() is False
    user.name = "Bea"
    with pytest.raises(lm.DocumentNotFound) as caught:
        user.persist()
    assert caught.value.id == user.id
    assert isinstance(caught.value, LookupError)
    assert User.filter().count() == 0
    with pytest.raises(lm.DocumentNotFound):
        user.reload()


@pytest.mark.parametrize("bad", [None, "xyz", 3, b"12", object()])
def test_from_id_refuses_an_impossible_id(bad: Any) -> None:
    with pytest.raises(lm.InvalidId):
        User.from_id(bad)


def test_from_id_returns_none_for_an_unknown_id() -> None:
    assert User.from_id(ObjectId()) is None


def test_concurrent_increments_add_up() -> None:
    user = User(name="Ann", visits=10)
    user.persist()
    assert stored(user)["visits"] == 10

    def increment() -> None:
        user_copy = User.from_id(user.id)
        assert user_copy is not None
        for _ in range(50):
            user_copy.visits += 1
            user_copy.persist()

    together(*[increment] * 20)
    user.reload()
    assert user.visits == 1010
    user.visits -= 1010
    user.persist()
    user.visits = 5
    user.persist()
    assert stored(user)["visits"] == 5


def test_reload_updates_nested_objects_in_place() -> None:
    user = User(name="Ann")
    user.persist()
    address = user.address
    other = User.from_id(user.id)
    assert other is not None
    other.address.city = "Brno"
    other.persist()
    user.reload()
    assert user.address is address
    assert address.city == "Brno"


def test_times_come_from_the_clock_of_the_settings() -> None:
    moment = datetime(2030, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)
    with lm.config_context(clock=lambda: moment):
        user = User(name="Ann")
        user.persist()
    assert user.created_at == datetime(2030, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)
    assert User.from_id(user.id) == user
    assert user.updated_time == user.created_at
    with lm.config_context(clock=lambda: moment + timedelta(days=1)):
        user.age = 3
        user.persist()
    assert user.updated_time - user.created_at == timedelta(days=1)


def test_the_error_names_the_path_of_an_unstorable_value() -> None:
    user = User(name="Ann", meta={"deep": [1, {"big": 2**70}]})
    with pytest.raises(lm.EncodingError, match=r"meta\.deep\.1\.big"):
        user.persist()
    assert User.filter().count() == 0
    assert user.created_at is None


def test_changing_the_id_of_a_loaded_object() -> None:
    user = User(name="Ann")
    user.persist()
    user.id = ObjectId()
    with pytest.raises(lm.InvalidId):
        user.persist()


def test_a_copy_keeps_the_baseline() -> None:
    user = User(name="Ann", visits=1)
    user.persist()
    copy = user.model_copy(update={"age": 9})
    assert copy.persist() is True
    user.reload()
    assert user.age == 9


def test_a_document_that_fails_validation(client: Any, db: str) -> None:
    client[db].users.insert_one({"_id": 7, "age": "many"})
    with pytest.raises(lm.InvalidDocument) as caught:
        User.filter().load_many()
    assert caught.value.id == 7
    assert caught.value.fields.keys() == {"_id", "name", "age"}


def test_undeclared_model() -> None:
    class Undeclared(lm.Persistable):
        name: str

    with pytest.raises(lm.ConfigurationError, match="declare_persist_db"):
        Undeclared(name="x").persist()
