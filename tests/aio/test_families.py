"""Families: models that share a collection, whose documents load as objects of their class."""

from __future__ import annotations

import datetime as dt
from typing import Any, Generic, TypeVar

import pyarrow as pa
import pytest
from pydantic import ConfigDict, Field
from pymongo.errors import WriteError

import loom_async as lm
from loom_async._core.model.polymorphism import family_of
from loom_async.collections.find import collection_of

pytestmark = pytest.mark.usefixtures("db")
fld = lm.fld
T = TypeVar("T")


@lm.declare_persist_db("zoo", "animals", discriminator="kind", index=[lm.Index("name")])
class Animal(lm.Persistable):
    name: str


class Dog(Animal, tag="dog"):
    barks: int = 0


class Puppy(Dog):
    age: int = 0


class Cat(Animal, tag="cat"):
    model_config = ConfigDict(extra="forbid")
    lives: lm.IncrCounter = 9


async def create_animals() -> list[Animal]:
    animals: list[Animal] = [
        Animal(name="a"), Dog(name="b", barks=2), Puppy(name="c", age=1), Cat(name="d")
    ]  # fmt: skip
    await Animal.persist_many(animals)
    return animals


async def test_documents_load_as_objects_of_their_class() -> None:
    animals = await create_animals()
    loaded = await Animal.filter().sort("name").load_many()
    assert [type(animal) for animal in loaded] == [Animal, Dog, Puppy, Cat]
    assert loaded == animals
    assert [type(a) for a in (await Animal.filter().sort("name").page(3)).items] == [
        Animal, Dog, Puppy
    ]  # fmt: skip
    assert {type(animal) async for animal in Animal.filter().stream()} == {Animal, Dog, Puppy, Cat}
    found = await Animal.from_id(animals[3].id)
    assert isinstance(found, Cat)
    found.lives -= 1
    assert await found.persist()
    assert (await found.reload()).lives == 8
    kinds = await (await collection_of(Animal)).distinct("kind")
    assert sorted(kinds) == ["Animal", "Puppy", "cat", "dog"]


async def test_queries_of_a_subclass_find_only_its_documents() -> None:
    animals = await create_animals()
    assert [dog.name for dog in await Dog.filter().sort("name").load_many()] == ["b", "c"]
    assert await Dog.filter(fld["barks"] > 1).count() == 1
    assert await Puppy.filter().count() == 1
    assert await Dog.from_id(animals[3].id) is None
    assert isinstance(await Dog.from_id(animals[2].id), Puppy)
    assert await Animal.filter(fld["kind"] == "cat").count() == 1
    assert await Dog.filter().update(barks=5) == 2
    rows = await Dog.agg(lm.AggregationStages().count("n")).load_many()
    assert rows == [{"n": 2}]
    assert (await Dog.filter().load_table()).num_rows == 2
    assert (await Dog.aggregate_arrow([])).num_rows == 2
    assert await Dog.filter().delete() == 2
    assert await Animal.filter().count() == 2


async def test_only_changed_fields_are_written() -> None:
    _, dog, *_ = await create_animals()
    assert isinstance(dog, Dog)
    assert not await dog.persist()
    dog.barks = 7
    assert await dog.persist()
    (loaded,) = await Dog.filter(fld["barks"] == 7).load_many()
    assert loaded.name == "b"


async def test_frames_of_a_subclass() -> None:
    for validate in (True, False):
        table: Any = pa.table({"name": [f"x{validate}"], "barks": [1]})
        await Dog.insert_dataframe(table, validate=validate)
    table = pa.table({"name": ["xTrue", "new"], "barks": [3, 4]})
    await Dog.update_dataframe(table, on=["name"], upsert=True)
    await Cat(name="new").persist()
    await Dog.update_dataframe(pa.table({"name": ["new"], "barks": [5]}), on=["name"])
    loaded = await Animal.filter().sort("name", "kind").load_many()
    assert [(type(a).__name__, a.name) for a in loaded] == [
        ("Cat", "new"), ("Dog", "new"), ("Dog", "xFalse"), ("Dog", "xTrue")
    ]  # fmt: skip


async def test_an_unknown_tag_raises() -> None:
    collection = await collection_of(Animal)
    await collection.insert_many([{"_id": 1, "name": "x", "kind": "unicorn"}])
    with pytest.raises(lm.InvalidDocument, match=r"tag 'unicorn'.*\n.*Animal, Puppy, cat, dog"):
        await Animal.filter().load_many()
    await collection.replace_one({"_id": 1}, {"name": "stored without a tag"})
    await collection.delete_one({"_id": 1})
    await collection.insert_one({"name": "stored without a tag"})
    (animal,) = await Animal.filter().load_many()
    assert type(animal) is Animal


def test_conflicting_declarations() -> None:
    with pytest.raises(lm.ConfigurationError, match=r"Hound and .*Dog both have the tag 'dog'"):

        class Hound(Animal, tag="dog"):
            pass

    with pytest.raises(lm.ConfigurationError, match="has a field 'kind'"):

        class Kind(Animal):
            kind: str

    with pytest.raises(lm.ConfigurationError, match="no base that is declared"):

        class Undeclared(lm.PersistableBase, tag="x"):
            pass

    with pytest.raises(lm.ConfigurationError, match="cannot be a discriminator"):
        lm.declare_persist_db("zoo", "x", discriminator="a.b")(Undeclared2)


class Undeclared2(lm.PersistableBase):
    pass


async def test_a_subclass_with_its_own_collection() -> None:
    @lm.declare_persist_db("zoo", "whales")
    class Whale(Animal):
        pass

    await Whale(name="w").persist()
    assert await Animal.filter().count() == 0
    assert (await collection_of(Whale)).name == "whales"
    assert "kind" not in (await Whale.filter().load_docs())[0]


class Zoo(lm.PersistableBase):
    pet: Animal | None = None
    animals: list[Animal] = []
    either: Dog | Cat | None = None


lm.declare_persist_db("zoo", "zoos")(Zoo)


async def test_family_members_nested_in_other_documents() -> None:
    zoo = Zoo(
        pet=Puppy(name="p", age=2),
        animals=[Cat(name="c", lives=3), Dog(name="d", barks=4)],
        either=Cat(name="e"),
    )
    await zoo.persist()
    assert [type(zoo.pet), *map(type, zoo.animals), type(zoo.either)] == [Puppy, Cat, Dog, Cat]
    loaded = await Zoo.from_id(zoo.id)
    assert loaded == zoo
    assert isinstance(loaded.pet, Puppy)
    loaded.pet.age = 3
    loaded.animals[1].name = "new"
    assert await loaded.persist()
    (stored,) = await Zoo.filter().load_docs()
    assert stored["pet"]["age"] == 3
    assert [(a["kind"], a["name"]) for a in stored["animals"]] == [("cat", "c"), ("dog", "new")]
    assert stored["animals"][1]["barks"] == 4


async def test_out_and_merge_into_a_subclass() -> None:
    await create_animals()
    with pytest.raises(lm.QueryError, match="which Dog shares with others"):
        await Animal.filter().out(Dog)
    collection = await collection_of(Animal)
    await collection.database["source"].insert_one({"name": "merged", "barks": 1})

    @lm.declare_persist_db("zoo", "source")
    class Source(lm.PersistableBase):
        name: str

    await Source.filter().merge_into(Dog)
    assert await Dog.filter(fld["name"] == "merged").count() == 1
    await Animal.filter().merge_into(Animal)
    assert await Animal.filter(fld["kind"] == "cat").count() == 1


async def test_a_lookup_finds_only_the_subclass() -> None:
    await create_animals()
    query = Animal.filter(fld["name"] == "a").add_fields(all={"$literal": 1})
    rows = await query.lookup(
        Dog, local_field="created_at", foreign_field="created_at", as_="dogs"
    ).load_many()
    assert {dog["name"] for dog in rows[0]["dogs"]} == {"b", "c"}


async def test_geo_near_finds_only_the_subclass() -> None:
    @lm.declare_persist_db(
        "zoo", "places", discriminator="kind", index=[lm.Index(("place", "2dsphere"))]
    )
    class Place(lm.PersistableBase):
        place: dict[str, Any]

    class Stable(Place):
        pass

    point = {"type": "Point", "coordinates": [14.4, 50.1]}
    await Place.persist_many([Place(place=point), Stable(place=point)])
    near = lm.AggregationStages().geo_near(point, distance_field="far")
    assert len(await Place.agg(near).load_many()) == 2
    assert len(await Stable.agg(near).load_many()) == 1


async def test_persist_many_refuses_objects_of_another_collection() -> None:
    @lm.declare_persist_db("zoo", "tigers")
    class Tiger(Animal):
        pass

    with pytest.raises(TypeError, match="has a collection of its own"):
        await Animal.persist_many([Animal(name="a"), Tiger(name="t")])
    assert await Animal.filter().count() == 0


async def test_generic_members_have_the_tag_of_their_class() -> None:
    class Box(Animal, Generic[T], tag="box"):
        content: T

    await Box[int](name="b", content=3).persist()
    (loaded,) = await Animal.filter().load_many()
    assert isinstance(loaded, Box)
    assert await Box[int].filter().count() == 1
    typed = await Box[int].from_id(loaded.id)
    assert type(typed) is Box[int]
    assert [type(box) for box in await Box[int].filter().load_many()] == [Box[int]]
    typed.content = 4
    assert await typed.persist()
    assert (await typed.reload()).content == 4


async def test_reload_refuses_a_changed_tag() -> None:
    dog = Dog(name="b", barks=2)
    await dog.persist()
    collection = await collection_of(Animal)
    await collection.update_one({"_id": dog.id}, {"$set": {"kind": "Puppy", "barks": 3}})
    with pytest.raises(lm.InvalidDocument, match="was a Dog and is a Puppy now") as caught:
        await dog.reload()
    assert (caught.value.id, dog.barks) == (dog.id, 2)
    assert isinstance(await Dog.from_id(dog.id), Puppy)


def test_an_alias_cannot_be_the_discriminator() -> None:
    with pytest.raises(lm.ConfigurationError, match="has a field 'kind'"):

        @lm.declare_persist_db("zoo", "aliased", discriminator="kind")
        class Aliased(lm.PersistableBase):
            sort: str = Field(validation_alias="kind")


async def test_an_extra_key_does_not_set_the_tag() -> None:
    @lm.declare_persist_db("zoo", "open", discriminator="kind")
    class Open(lm.PersistableBase):
        model_config = ConfigDict(extra="allow")

    class Other(Open, tag="other"):
        pass

    with pytest.raises(lm.EncodingError, match="an extra field cannot be named 'kind'"):
        await Open(kind="other").persist()  # type: ignore[call-arg]
    await Open(more="other").persist()  # type: ignore[call-arg]
    assert [type(o) for o in await Open.filter().load_many()] == [Open]


async def test_update_refuses_a_family_with_and_without_revisions() -> None:
    class Counted(Animal):
        revision: lm.Revision = 1

    try:
        with pytest.raises(lm.QueryError, match="Counted counts its writes otherwise"):
            await Animal.filter().update(name="x")
        counted = Counted(name="a")
        await counted.persist()
        assert await Counted.filter().update(name="b") == 1
        counted.name = "c"
        with pytest.raises(lm.StaleDocument):
            await counted.persist()
    finally:
        family_of(Animal).remove(Counted)  # type: ignore[union-attr]


async def test_the_validator_accepts_all_classes_of_the_family() -> None:
    schema = await Animal.ensure_validator()
    await create_animals()
    collection = await collection_of(Animal)
    tags = {one["properties"]["kind"]["enum"][0] for one in schema["anyOf"]}
    assert tags >= {"Animal", "dog", "Puppy", "cat"}
    for document in (
        {"name": "x", "kind": "dog", "barks": "loud"},
        {"name": "x", "kind": "unicorn"},
        {"name": 3},
        {"name": "x", "kind": "cat", "lives": 1, "unknown": True},
    ):
        with pytest.raises(WriteError, match="failed validation"):
            await collection.insert_one({**document, **auto_fields()})
    await collection.insert_one({"name": "stored without a tag", **auto_fields()})
    with pytest.raises(lm.ConfigurationError, match=r"Animal\.ensure_validator"):
        await Dog.ensure_validator()


def auto_fields() -> dict[str, Any]:
    now = dt.datetime.now(dt.UTC)
    return {"created_at": now, "updated_time": now}


async def test_changes_have_documents_of_their_class() -> None:
    loaded: list[str] = []

    class Hooked(Animal, tag="hooked"):
        def after_load(self) -> None:
            loaded.append(self.name)

    try:
        async with Animal.watch() as changes:
            await Animal.persist_many([Cat(name="c"), Hooked(name="h")])
            kinds = [type((await anext(changes)).document) for _ in range(2)]
        assert kinds == [Cat, Hooked]
        assert loaded == ["h"]
    finally:
        family_of(Animal).remove(Hooked)  # type: ignore[union-attr]
