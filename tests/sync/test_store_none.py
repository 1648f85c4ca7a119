# Generated from tests/aio/test_store_none.py by `nox -s sync`: edit that file.
"""Models with `store_none=False`: what each kind of write stores, and what loads."""

from __future__ import annotations

import dataclasses
from typing import Any

import pyarrow as pa
import pytest
from pydantic import BaseModel

import loom_sync as lm
from loom_sync import fld
from tests.sync.watching import taken

pytestmark = pytest.mark.usefixtures("db")


class Address(BaseModel):
    city: str
    zip: str | None
    note: str | None = None


@dataclasses.dataclass
class Size:
    width: int | None
    height: int | None = None


@lm.declare_persist_db(
    "shop",
    "users",
    store_none=False,
    index=[lm.Index("name", unique=True), lm.Index("email", unique=True, sparse=True)],
)
class User(lm.Persistable):
    name: str
    email: str | None = None
    phone: str | None
    level: int | None = 1
    address: Address | None = None
    addresses: list[Address | None] = []
    size: Size = Size(None)


@lm.declare_persist_db("shop", "animals", discriminator="kind", store_none=False)
class Animal(lm.PersistableBase):
    name: str | None = None


class Dog(Animal, tag="dog"):
    owner: User | None = None
    weight: float | None


@lm.declare_persist_db("shop", "notes", store_none=False)
class Note(lm.LedgerModel):
    text: str | None = None


HOME = Address(city="Brno", zip=None)


def stored(model: type[Any] = User, **values: Any) -> list[dict[str, Any]]:
    """Return the stored documents without ids, times and defaults that are no matter."""
    unwanted = {"_id", "created_at", "updated_time", "recorded_at", "level", "addresses", "size"}
    found = model.get_db_collection().find(values).sort("name").to_list()
    return [{k: v for k, v in one.items() if k not in unwanted} for one in found]


def test_fields_that_are_none_are_left_out() -> None:
    user = User(name="a", phone=None, level=None, address=HOME, addresses=[None, HOME])
    user.persist()
    document = user.dump_doc()
    assert document == {
        "_id": user.id,
        "created_at": user.created_at,
        "updated_time": user.updated_time,
        "name": "a",
        "level": None,  # a document without it has the default
        "address": {"city": "Brno"},
        "addresses": [None, {"city": "Brno"}],
        "size": {},
    }
    assert User.filter().load_docs() == [document]
    found = User.from_id(user.id)
    assert found == user == User.from_doc(document)
    assert found.persist() is False


def test_none_unsets_and_a_value_sets() -> None:
    User(name="a", phone="1", address=HOME, addresses=[HOME]).persist()
    user = User.filter().load_one()
    assert user is not None
    assert user.address is not None
    user.phone, user.address.zip, user.size.width = None, "60200", 3
    user.addresses = [Address(city="Brno", zip="x")]
    user.persist()
    assert stored() == [{"name": "a", "address": {"city": "Brno", "zip": "60200"}}]
    user.address.zip = user.address = None
    User.persist_many([user])
    assert stored() == [{"name": "a"}]
    user.addresses[0].zip = None  # type: ignore[union-attr]
    user.phone = "2"
    user.persist()
    assert stored() == [{"name": "a", "phone": "2"}]
    assert User.filter().load_one() == user
    assert User.filter().load_docs()[0]["addresses"] == [{"city": "Brno"}]


def test_stored_nulls_load_the_same_and_stay() -> None:
    collection = User.get_db_collection()
    address = {"city": "Brno", "zip": None, "note": None}
    document = {"name": "a", "email": None, "phone": None, "address": address}
    document |= {"addresses": [address], "size": {"width": None, "height": None}}
    collection.insert_one(dict(document))
    user = User.filter().load_one()
    assert user is not None
    assert user.persist() is False
    assert user.address == HOME
    user.address.note = "x"  # type: ignore[union-attr]
    user.email = "e"
    user.persist()
    assert user.address is not None
    user.address.note = user.email = None
    user.persist()
    del address["note"], document["email"]
    found = collection.find_one({})
    assert found is not None
    assert found["address"] == address
    assert "email" not in found
    assert found["addresses"] == [{"city": "Brno", "zip": None, "note": None}]


def test_a_unique_sparse_index_skips_them() -> None:
    User.persist_many([User(name="a", phone=None), User(name="b", phone=None)])
    assert User.filter(fld["email"] == None).count() == 2
    assert User.filter(fld["email"].is_exists()).count() == 0


def test_updates_unset() -> None:
    User(name="a", email="e", phone="1", address=Address(city="b", zip="1")).persist()
    query = User.filter(fld["name"] == "a")
    query.update({"phone": None, "address.zip": None, "level": None})
    assert stored() == [{"name": "a", "email": "e", "address": {"city": "b"}}]
    assert User.filter().load_docs()[0]["level"] is None
    query.update({"$set": {"address": {"city": "c", "zip": None}}, "$unset": {"email": ""}})
    assert stored() == [{"name": "a", "address": {"city": "c"}}]
    found = query.find_one_and_update({"phone": None, "address": HOME})
    assert found is not None
    assert stored() == [{"name": "a", "address": {"city": "Brno"}}]
    query.update([{"$set": {"address": HOME, "phone": "$name"}}])
    assert stored() == [{"name": "a", "phone": "a", "address": {"city": "Brno"}}]
    query.update([{"$set": {"phone": None, "address.zip": None, "level": None}}])
    assert stored() == [{"name": "a", "address": {"city": "Brno"}}]


def test_updates_of_arrays() -> None:
    User(name="a", phone=None, addresses=[Address(city="b", zip="1"), HOME]).persist()
    query, filters = User.filter(fld["name"] == "a"), [{"x.city": "b"}]
    query.update({"addresses.$[x].zip": None}, array_filters=filters)
    query.update({"$push": {"addresses": HOME}})
    query.update({"$addToSet": {"addresses": HOME}})
    assert User.filter().load_docs()[0]["addresses"] == [
        {"city": "b"},
        {"city": "Brno"},
        {"city": "Brno"},
    ]
    assert User.filter(fld["addresses"].is_all([HOME])).count() == 1
    query.update({"$pull": {"addresses": HOME}})
    query.update({"$pull": {"addresses": {"city": "b", "zip": None}}})
    assert User.filter().load_docs()[0]["addresses"] == []


def test_conditions_on_whole_documents() -> None:
    User(name="a", phone=None, address=HOME).persist()
    for same in (HOME, {"city": "Brno", "zip": None, "note": None}):
        assert User.filter(fld["address"] == same).count() == 1
        assert User.filter(fld["address"].is_in([same])).count() == 1
    assert User.filter(fld["address.zip"] == None).count() == 1


def test_upserts() -> None:
    User.filter(fld["name"] == "a").update({"email": None, "phone": None}, upsert=True)
    User.filter(fld["name"] == "b").update(
        {"$set": {"phone": "1"}, "$setOnInsert": {"email": None, "address": HOME}}, upsert=True
    )
    a, b = {"name": "a"}, {"name": "b", "phone": "1", "address": {"city": "Brno"}}
    assert stored() == [a, b]
    user, created = User.get_or_create({"name": "c"}, defaults={"phone": None})
    assert created
    assert User.get_or_create({"name": "c"}, defaults={"phone": None}) == (user, False)
    new = [User(name="b", phone=None, address=None), User(name="d", phone=None, email=None)]
    result = User.persist_many(new, match_on=["name"])
    assert (result.inserted, result.updated) == (1, 1)
    assert stored() == [a, {"name": "b"}, {"name": "c"}, {"name": "d"}]
    assert User.filter().sort("name").skip(1).load_many() == [new[0], user, new[1]]


@pytest.mark.parametrize("upsert", [True, False])
def test_an_update_that_inserts_nothing_keeps_the_document(upsert: bool) -> None:
    @lm.declare_persist_db("shop", "loose", store_none=False)
    class Loose(lm.PersistableBase):
        a: int | None = None
        b: int | None = None

    Loose(a=1).persist()
    update = {"$setOnInsert": {"b": None}}
    Loose.filter(fld["a"] == 1).update(update, upsert=upsert)
    Loose.filter(fld["a"] == 1).find_one_and_update(update, upsert=upsert)
    assert [(one.a, one.b) for one in Loose.filter().load_many()] == [(1, None)]
    Loose.filter(fld["a"] == 2).update(update, upsert=True)
    assert Loose.filter(fld["a"] == 2).load_one() is not None


def test_the_upsert_of_a_nested_none_creates_the_document_around_it() -> None:
    @lm.declare_persist_db("shop", "rings", store_none=False)
    class Ring(lm.PersistableBase):
        size: Size

    Ring.filter().update({"size.width": None}, upsert=True)
    ring = Ring.filter().load_one()
    assert ring is not None
    assert ring.size == Size(None)


def test_frames() -> None:
    for validate in (True, False):
        rows = {"name": [f"a{validate}", f"b{validate}"], "phone": ["1", None]}
        addresses = [None, {"city": "Brno", "zip": None}]
        User.insert_dataframe(pa.table({**rows, "address": addresses}), validate=validate)
        first = {"name": f"a{validate}", "phone": "1"}
        second = {"name": f"b{validate}", "address": {"city": "Brno"}}
        assert stored(phone={"$exists": True}) == [first]
        assert stored(phone={"$exists": False}) == [second]
        frame = User.filter().load_dataframe()
        assert sorted(frame["phone"].isna()) == [False, True]
        update: dict[str, Any] = {"name": [f"a{validate}", "new"], "phone": [None, None]}
        update |= {"address": [HOME.model_dump(), None]}
        User.update_dataframe(pa.table(update), on=["name"])
        assert stored(name=f"a{validate}") == [
            {"name": f"a{validate}", "address": {"city": "Brno"}}
        ]
        User.filter().load_table().validate(full=True)
        User.filter().delete()
    frame = pa.table({"name": ["n"], "phone": pa.nulls(1, pa.string())})
    User.update_dataframe(frame, on=["name"], upsert=True)
    assert stored() == [{"name": "n"}]


def test_families_and_views() -> None:
    owner = User(name="o", phone=None, address=HOME)
    dog = Dog(owner=owner, weight=None)
    Animal.persist_many([dog, Animal()])
    documents = Animal.filter().sort("id").load_docs()
    assert {"_id", "kind", "owner"} == documents[0].keys()
    assert "phone" not in documents[0]["owner"]
    assert documents[1].keys() == {"_id", "kind"}
    assert Animal.filter().sort("id").load_many()[0] == dog
    Animal.filter().update({"name": None})
    Dog.filter().update({"owner.phone": None, "weight": None})
    assert Animal.filter().sort("id").load_docs() == documents

    class View(BaseModel):
        name: str | None
        owner: User | None

    found = Dog.filter().into(View).load_many()
    assert found == [View(name=None, owner=owner)]


def test_ledgers_and_time_series() -> None:
    @lm.declare_persist_db("shop", "readings", store_none=False)
    @lm.declare_timeseries(metakey="place")
    class Reading(lm.TimeSeriesLedgerModel):
        place: str | None = None
        celsius: float | None

    note, reading = Note(), Reading(celsius=None)
    for entry in (note, reading):
        entry.persist()
        assert type(entry).filter().load_docs()[0].keys().isdisjoint(["text", "celsius"])
        assert type(entry).filter().load_one() == entry


def test_watching() -> None:
    with User.watch() as changes:
        user = User(name="a", phone="1")
        user.persist()
        user.phone = None
        user.persist()
        inserted, updated = taken(changes, 2)
    assert inserted.document is not None
    assert inserted.document.phone is None or inserted.document.phone == "1"
    assert updated.document == user


def test_validators_of_the_server_accept_them() -> None:
    User.ensure_validator()
    User(name="a", phone=None, address=HOME, addresses=[HOME]).persist()
    assert User.filter().count() == 1


def test_the_array_of_another_writer_that_is_none_is_no_new_array() -> None:
    @lm.declare_persist_db("shop", "tagged", store_none=False)
    class Tagged(lm.PersistableBase):
        tags: list[str] | None = None

    one = Tagged(tags=["a"])
    one.persist()
    two = Tagged.from_id(one.id)
    assert two is not None
    two.tags = None
    two.persist()
    assert one.tags is not None
    one.tags.append("b")
    with pytest.raises(lm.OperationFailed, match="'tags' is None by now"):
        one.persist()


def test_another_declaration_of_a_subclass_is_its_own() -> None:
    @lm.declare_persist_db("shop", "admins")
    class Admin(User):
        pass

    assert Admin(name="a", phone=None).dump_doc()["phone"] is None
