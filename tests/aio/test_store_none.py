"""Models with `store_none=False`: what each kind of write stores, and what loads."""

from __future__ import annotations

import dataclasses
from typing import Any

import pyarrow as pa
import pytest
from pydantic import BaseModel

import loom_async as lm
from loom_async import fld
from tests.aio.watching import taken

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


async def stored(model: type[Any] = User, **values: Any) -> list[dict[str, Any]]:
    """Return the stored documents without ids, times and defaults that are no matter."""
    unwanted = {"_id", "created_at", "updated_time", "recorded_at", "level", "addresses", "size"}
    found = await (await model.get_db_collection()).find(values).sort("name").to_list()
    return [{k: v for k, v in one.items() if k not in unwanted} for one in found]


async def test_fields_that_are_none_are_left_out() -> None:
    user = User(name="a", phone=None, level=None, address=HOME, addresses=[None, HOME])
    await user.persist()
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
    assert await User.filter().load_docs() == [document]
    found = await User.from_id(user.id)
    assert found == user == User.from_doc(document)
    assert await found.persist() is False


async def test_none_unsets_and_a_value_sets() -> None:
    await User(name="a", phone="1", address=HOME, addresses=[HOME]).persist()
    user = await User.filter().load_one()
    assert user is not None
    assert user.address is not None
    user.phone, user.address.zip, user.size.width = None, "60200", 3
    user.addresses = [Address(city="Brno", zip="x")]
    await user.persist()
    assert await stored() == [{"name": "a", "address": {"city": "Brno", "zip": "60200"}}]
    user.address.zip = user.address = None
    await User.persist_many([user])
    assert await stored() == [{"name": "a"}]
    user.addresses[0].zip = None  # type: ignore[union-attr]
    user.phone = "2"
    await user.persist()
    assert await stored() == [{"name": "a", "phone": "2"}]
    assert await User.filter().load_one() == user
    assert (await User.filter().load_docs())[0]["addresses"] == [{"city": "Brno"}]


async def test_stored_nulls_load_the_same_and_stay() -> None:
    collection = await User.get_db_collection()
    address = {"city": "Brno", "zip": None, "note": None}
    document = {"name": "a", "email": None, "phone": None, "address": address}
    document |= {"addresses": [address], "size": {"width": None, "height": None}}
    await collection.insert_one(dict(document))
    user = await User.filter().load_one()
    assert user is not None
    assert await user.persist() is False
    assert user.address == HOME
    user.address.note = "x"  # type: ignore[union-attr]
    user.email = "e"
    await user.persist()
    assert user.address is not None
    user.address.note = user.email = None
    await user.persist()
    del address["note"], document["email"]
    found = await collection.find_one({})
    assert found is not None
    assert found["address"] == address
    assert "email" not in found
    assert found["addresses"] == [{"city": "Brno", "zip": None, "note": None}]


async def test_a_unique_sparse_index_skips_them() -> None:
    await User.persist_many([User(name="a", phone=None), User(name="b", phone=None)])
    assert await User.filter(fld["email"] == None).count() == 2
    assert await User.filter(fld["email"].is_exists()).count() == 0


async def test_updates_unset() -> None:
    await User(name="a", email="e", phone="1", address=Address(city="b", zip="1")).persist()
    query = User.filter(fld["name"] == "a")
    await query.update({"phone": None, "address.zip": None, "level": None})
    assert await stored() == [{"name": "a", "email": "e", "address": {"city": "b"}}]
    assert (await User.filter().load_docs())[0]["level"] is None
    await query.update({"$set": {"address": {"city": "c", "zip": None}}, "$unset": {"email": ""}})
    assert await stored() == [{"name": "a", "address": {"city": "c"}}]
    found = await query.find_one_and_update({"phone": None, "address": HOME})
    assert found is not None
    assert await stored() == [{"name": "a", "address": {"city": "Brno"}}]
    await query.update([{"$set": {"address": HOME, "phone": "$name"}}])
    assert await stored() == [{"name": "a", "phone": "a", "address": {"city": "Brno"}}]
    await query.update([{"$set": {"phone": None, "address.zip": None, "level": None}}])
    assert await stored() == [{"name": "a", "address": {"city": "Brno"}}]


async def test_updates_of_arrays() -> None:
    await User(name="a", phone=None, addresses=[Address(city="b", zip="1"), HOME]).persist()
    query, filters = User.filter(fld["name"] == "a"), [{"x.city": "b"}]
    await query.update({"addresses.$[x].zip": None}, array_filters=filters)
    await query.update({"$push": {"addresses": HOME}})
    await query.update({"$addToSet": {"addresses": HOME}})
    assert (await User.filter().load_docs())[0]["addresses"] == [
        {"city": "b"},
        {"city": "Brno"},
        {"city": "Brno"},
    ]
    assert await User.filter(fld["addresses"].is_all([HOME])).count() == 1
    await query.update({"$pull": {"addresses": HOME}})
    await query.update({"$pull": {"addresses": {"city": "b", "zip": None}}})
    assert (await User.filter().load_docs())[0]["addresses"] == []


async def test_conditions_on_whole_documents() -> None:
    await User(name="a", phone=None, address=HOME).persist()
    for same in (HOME, {"city": "Brno", "zip": None, "note": None}):
        assert await User.filter(fld["address"] == same).count() == 1
        assert await User.filter(fld["address"].is_in([same])).count() == 1
    assert await User.filter(fld["address.zip"] == None).count() == 1


async def test_upserts() -> None:
    await User.filter(fld["name"] == "a").update({"email": None, "phone": None}, upsert=True)
    await User.filter(fld["name"] == "b").update(
        {"$set": {"phone": "1"}, "$setOnInsert": {"email": None, "address": HOME}}, upsert=True
    )
    a, b = {"name": "a"}, {"name": "b", "phone": "1", "address": {"city": "Brno"}}
    assert await stored() == [a, b]
    user, created = await User.get_or_create({"name": "c"}, defaults={"phone": None})
    assert created
    assert (await User.get_or_create({"name": "c"}, defaults={"phone": None})) == (user, False)
    new = [User(name="b", phone=None, address=None), User(name="d", phone=None, email=None)]
    result = await User.persist_many(new, match_on=["name"])
    assert (result.inserted, result.updated) == (1, 1)
    assert await stored() == [a, {"name": "b"}, {"name": "c"}, {"name": "d"}]
    assert await User.filter().sort("name").skip(1).load_many() == [new[0], user, new[1]]


@pytest.mark.parametrize("upsert", [True, False])
async def test_an_update_that_inserts_nothing_keeps_the_document(upsert: bool) -> None:
    @lm.declare_persist_db("shop", "loose", store_none=False)
    class Loose(lm.PersistableBase):
        a: int | None = None
        b: int | None = None

    await Loose(a=1).persist()
    update = {"$setOnInsert": {"b": None}}
    await Loose.filter(fld["a"] == 1).update(update, upsert=upsert)
    await Loose.filter(fld["a"] == 1).find_one_and_update(update, upsert=upsert)
    assert [(one.a, one.b) for one in await Loose.filter().load_many()] == [(1, None)]
    await Loose.filter(fld["a"] == 2).update(update, upsert=True)
    assert await Loose.filter(fld["a"] == 2).load_one() is not None


async def test_the_upsert_of_a_nested_none_creates_the_document_around_it() -> None:
    @lm.declare_persist_db("shop", "rings", store_none=False)
    class Ring(lm.PersistableBase):
        size: Size

    await Ring.filter().update({"size.width": None}, upsert=True)
    ring = await Ring.filter().load_one()
    assert ring is not None
    assert ring.size == Size(None)


async def test_frames() -> None:
    for validate in (True, False):
        rows = {"name": [f"a{validate}", f"b{validate}"], "phone": ["1", None]}
        addresses = [None, {"city": "Brno", "zip": None}]
        await User.insert_dataframe(pa.table({**rows, "address": addresses}), validate=validate)
        first = {"name": f"a{validate}", "phone": "1"}
        second = {"name": f"b{validate}", "address": {"city": "Brno"}}
        assert await stored(phone={"$exists": True}) == [first]
        assert await stored(phone={"$exists": False}) == [second]
        frame = await User.filter().load_dataframe()
        assert sorted(frame["phone"].isna()) == [False, True]
        update: dict[str, Any] = {"name": [f"a{validate}", "new"], "phone": [None, None]}
        update |= {"address": [HOME.model_dump(), None]}
        await User.update_dataframe(pa.table(update), on=["name"])
        assert await stored(name=f"a{validate}") == [
            {"name": f"a{validate}", "address": {"city": "Brno"}}
        ]
        (await User.filter().load_table()).validate(full=True)
        await User.filter().delete()
    frame = pa.table({"name": ["n"], "phone": pa.nulls(1, pa.string())})
    await User.update_dataframe(frame, on=["name"], upsert=True)
    assert await stored() == [{"name": "n"}]


async def test_families_and_views() -> None:
    owner = User(name="o", phone=None, address=HOME)
    dog = Dog(owner=owner, weight=None)
    await Animal.persist_many([dog, Animal()])
    documents = await Animal.filter().sort("id").load_docs()
    assert {"_id", "kind", "owner"} == documents[0].keys()
    assert "phone" not in documents[0]["owner"]
    assert documents[1].keys() == {"_id", "kind"}
    assert (await Animal.filter().sort("id").load_many())[0] == dog
    await Animal.filter().update({"name": None})
    await Dog.filter().update({"owner.phone": None, "weight": None})
    assert await Animal.filter().sort("id").load_docs() == documents

    class View(BaseModel):
        name: str | None
        owner: User | None

    found = await Dog.filter().into(View).load_many()
    assert found == [View(name=None, owner=owner)]


async def test_ledgers_and_time_series() -> None:
    @lm.declare_persist_db("shop", "readings", store_none=False)
    @lm.declare_timeseries(metakey="place")
    class Reading(lm.TimeSeriesLedgerModel):
        place: str | None = None
        celsius: float | None

    note, reading = Note(), Reading(celsius=None)
    for entry in (note, reading):
        await entry.persist()
        assert (await type(entry).filter().load_docs())[0].keys().isdisjoint(["text", "celsius"])
        assert await type(entry).filter().load_one() == entry


async def test_watching() -> None:
    async with User.watch() as changes:
        user = User(name="a", phone="1")
        await user.persist()
        user.phone = None
        await user.persist()
        inserted, updated = await taken(changes, 2)
    assert inserted.document is not None
    assert inserted.document.phone is None or inserted.document.phone == "1"
    assert updated.document == user


async def test_validators_of_the_server_accept_them() -> None:
    await User.ensure_validator()
    await User(name="a", phone=None, address=HOME, addresses=[HOME]).persist()
    assert await User.filter().count() == 1


async def test_the_array_of_another_writer_that_is_none_is_no_new_array() -> None:
    @lm.declare_persist_db("shop", "tagged", store_none=False)
    class Tagged(lm.PersistableBase):
        tags: list[str] | None = None

    one = Tagged(tags=["a"])
    await one.persist()
    two = await Tagged.from_id(one.id)
    assert two is not None
    two.tags = None
    await two.persist()
    assert one.tags is not None
    one.tags.append("b")
    with pytest.raises(lm.OperationFailed, match="'tags' is None by now"):
        await one.persist()


async def test_another_declaration_of_a_subclass_is_its_own() -> None:
    @lm.declare_persist_db("shop", "admins")
    class Admin(User):
        pass

    assert Admin(name="a", phone=None).dump_doc()["phone"] is None
