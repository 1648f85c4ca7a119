"""Models that share a collection: each document comes back as an object of its own class."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from pydantic import ConfigDict

import loom_async as lm
from loom_async.database import collection_of

pytestmark = pytest.mark.usefixtures("db")
fld = lm.fld


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
