"""Models that share a collection: each document comes back as an object of its own class."""

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


async def all_of_them() -> list[Animal]:
    animals: list[Animal] = [
        Animal(name="a"), Dog(name="b", barks=2), Puppy(name="c", age=1), Cat(name="d")
    ]  # fmt: skip
    await Animal.persist_many(animals)
    return animals


async def test_each_is_of_its_class() -> None:
    animals = await all_of_them()
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


async def test_a_subclass_sees_its_own() -> None:
    animals = await all_of_them()
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


async def test_one_that_changed_is_written_in_part() -> None:
    _, dog, *_ = await all_of_them()
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


async def test_an_unknown_tag_is_told() -> None:
    collection = await collection_of(Animal)
    await collection.insert_many([{"_id": 1, "name": "x", "kind": "unicorn"}])
    with pytest.raises(lm.InvalidDocument, match=r"tag 'unicorn'.*\n.*Animal, Puppy, cat, dog"):
        await Animal.filter().load_many()
    await collection.replace_one({"_id": 1}, {"name": "from before there were tags"})
    await collection.delete_one({"_id": 1})
    await collection.insert_one({"name": "from before there were tags"})
    (animal,) = await Animal.filter().load_many()
    assert type(animal) is Animal


def test_declarations_that_clash() -> None:
    with pytest.raises(lm.ConfigurationError, match=r"Hound and .*Dog both have the tag 'dog'"):

        class Hound(Animal, tag="dog"):
            pass

    with pytest.raises(lm.ConfigurationError, match="has a field 'kind'"):

        class Kind(Animal):
            kind: str

    with pytest.raises(lm.ConfigurationError, match="no base that is declared"):

        class Lonely(lm.PersistableBase, tag="x"):
            pass

    with pytest.raises(lm.ConfigurationError, match="cannot be a discriminator"):
        lm.declare_persist_db("zoo", "x", discriminator="a.b")(Lonely2)


class Lonely2(lm.PersistableBase):
    pass


async def test_a_subclass_with_a_collection_of_its_own() -> None:
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


async def test_members_inside_other_documents() -> None:
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


async def test_results_written_into_a_subclass() -> None:
    await all_of_them()
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


async def test_a_lookup_brings_the_subclass_alone() -> None:
    await all_of_them()
    query = Animal.filter(fld["name"] == "a").add_fields(all={"$literal": 1})
    rows = await query.lookup(
        Dog, local_field="created_at", foreign_field="created_at", as_="dogs"
    ).load_many()
    assert {dog["name"] for dog in rows[0]["dogs"]} == {"b", "c"}


async def test_near_ones_of_a_subclass() -> None:
    @lm.declare_persist_db(
        "zoo", "placed", discriminator="kind", index=[lm.Index(("place", "2dsphere"))]
    )
    class Placed(lm.PersistableBase):
        place: dict[str, Any]

    class Stable(Placed):
        pass

    point = {"type": "Point", "coordinates": [14.4, 50.1]}
    await Placed.persist_many([Placed(place=point), Stable(place=point)])
    near = lm.AggregationStages().geo_near(point, distance_field="far")
    assert len(await Placed.agg(near).load_many()) == 2
    assert len(await Stable.agg(near).load_many()) == 1


async def test_objects_of_another_collection_are_refused() -> None:
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


async def test_an_object_keeps_its_class() -> None:
    dog = Dog(name="b", barks=2)
    await dog.persist()
    collection = await collection_of(Animal)
    await collection.update_one({"_id": dog.id}, {"$set": {"kind": "Puppy", "barks": 3}})
    with pytest.raises(lm.InvalidDocument, match="was a Dog and is a Puppy now") as caught:
        await dog.reload()
    assert (caught.value.id, dog.barks) == (dog.id, 2)
    assert isinstance(await Dog.from_id(dog.id), Puppy)


def test_no_other_key_chooses_the_class() -> None:
    with pytest.raises(lm.ConfigurationError, match="has a field 'kind'"):

        @lm.declare_persist_db("zoo", "aliased", discriminator="kind")
        class Aliased(lm.PersistableBase):
            sort: str = Field(validation_alias="kind")


async def test_extra_keys_do_not_choose_the_class() -> None:
    @lm.declare_persist_db("zoo", "open", discriminator="kind")
    class Open(lm.PersistableBase):
        model_config = ConfigDict(extra="allow")

    class Other(Open, tag="other"):
        pass

    await Open(kind="other").persist()  # type: ignore[call-arg]
    assert [type(o) for o in await Open.filter().load_many()] == [Open]


async def test_one_update_for_classes_that_count_and_do_not() -> None:
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


async def test_one_validator_for_all_classes() -> None:
    schema = await Animal.ensure_validator()
    await all_of_them()
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
    await collection.insert_one({"name": "from before there were tags", **auto_fields()})
    with pytest.raises(lm.ConfigurationError, match=r"Animal\.ensure_validator"):
        await Dog.ensure_validator()


def auto_fields() -> dict[str, Any]:
    now = dt.datetime.now(dt.UTC)
    return {"created_at": now, "updated_time": now}


async def test_changes_are_of_their_classes() -> None:
    loaded: list[str] = []

    class Heard(Animal, tag="heard"):
        def after_load(self) -> None:
            loaded.append(self.name)

    try:
        async with Animal.watch() as changes:
            await Animal.persist_many([Cat(name="c"), Heard(name="h")])
            kinds = [type((await anext(changes)).document) for _ in range(2)]
        assert kinds == [Cat, Heard]
        assert loaded == ["h"]
    finally:
        family_of(Animal).remove(Heard)  # type: ignore[union-attr]
