# Generated from tests/aio/test_families.py by `nox -s sync`: edit that file.
"""Models that share a collection: each document comes back as an object of its own class."""

from __future__ import annotations

import datetime as dt
from typing import Any, Generic, TypeVar

import pyarrow as pa
import pytest
from pydantic import ConfigDict, Field
from pymongo.errors import WriteError

import loom_sync as lm
from loom_async._core.model.polymorphism import family_of
from loom_sync.collections.find import collection_of

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


def all_of_them() -> list[Animal]:
    animals: list[Animal] = [
        Animal(name="a"), Dog(name="b", barks=2), Puppy(name="c", age=1), Cat(name="d")
    ]  # fmt: skip
    Animal.persist_many(animals)
    return animals


def test_each_is_of_its_class() -> None:
    animals = all_of_them()
    loaded = Animal.filter().sort("name").load_many()
    assert [type(animal) for animal in loaded] == [Animal, Dog, Puppy, Cat]
    assert loaded == animals
    assert [type(a) for a in Animal.filter().sort("name").page(3).items] == [
        Animal, Dog, Puppy
    ]  # fmt: skip
    assert {type(animal) for animal in Animal.filter().stream()} == {Animal, Dog, Puppy, Cat}
    found = Animal.from_id(animals[3].id)
    assert isinstance(found, Cat)
    found.lives -= 1
    assert found.persist()
    assert found.reload().lives == 8
    kinds = collection_of(Animal).distinct("kind")
    assert sorted(kinds) == ["Animal", "Puppy", "cat", "dog"]


def test_a_subclass_sees_its_own() -> None:
    animals = all_of_them()
    assert [dog.name for dog in Dog.filter().sort("name").load_many()] == ["b", "c"]
    assert Dog.filter(fld["barks"] > 1).count() == 1
    assert Puppy.filter().count() == 1
    assert Dog.from_id(animals[3].id) is None
    assert isinstance(Dog.from_id(animals[2].id), Puppy)
    assert Animal.filter(fld["kind"] == "cat").count() == 1
    assert Dog.filter().update(barks=5) == 2
    rows = Dog.agg(lm.AggregationStages().count("n")).load_many()
    assert rows == [{"n": 2}]
    assert Dog.filter().load_table().num_rows == 2
    assert Dog.aggregate_arrow([]).num_rows == 2
    assert Dog.filter().delete() == 2
    assert Animal.filter().count() == 2


def test_one_that_changed_is_written_in_part() -> None:
    _, dog, *_ = all_of_them()
    assert isinstance(dog, Dog)
    assert not dog.persist()
    dog.barks = 7
    assert dog.persist()
    (loaded,) = Dog.filter(fld["barks"] == 7).load_many()
    assert loaded.name == "b"


def test_frames_of_a_subclass() -> None:
    for validate in (True, False):
        table: Any = pa.table({"name": [f"x{validate}"], "barks": [1]})
        Dog.insert_dataframe(table, validate=validate)
    table = pa.table({"name": ["xTrue", "new"], "barks": [3, 4]})
    Dog.update_dataframe(table, on=["name"], upsert=True)
    Cat(name="new").persist()
    Dog.update_dataframe(pa.table({"name": ["new"], "barks": [5]}), on=["name"])
    loaded = Animal.filter().sort("name", "kind").load_many()
    assert [(type(a).__name__, a.name) for a in loaded] == [
        ("Cat", "new"), ("Dog", "new"), ("Dog", "xFalse"), ("Dog", "xTrue")
    ]  # fmt: skip


def test_an_unknown_tag_is_told() -> None:
    collection = collection_of(Animal)
    collection.insert_many([{"_id": 1, "name": "x", "kind": "unicorn"}])
    with pytest.raises(lm.InvalidDocument, match=r"tag 'unicorn'.*\n.*Animal, Puppy, cat, dog"):
        Animal.filter().load_many()
    collection.replace_one({"_id": 1}, {"name": "from before there were tags"})
    collection.delete_one({"_id": 1})
    collection.insert_one({"name": "from before there were tags"})
    (animal,) = Animal.filter().load_many()
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


def test_a_subclass_with_a_collection_of_its_own() -> None:
    @lm.declare_persist_db("zoo", "whales")
    class Whale(Animal):
        pass

    Whale(name="w").persist()
    assert Animal.filter().count() == 0
    assert collection_of(Whale).name == "whales"
    assert "kind" not in Whale.filter().load_docs()[0]


class Zoo(lm.PersistableBase):
    pet: Animal | None = None
    animals: list[Animal] = []
    either: Dog | Cat | None = None


lm.declare_persist_db("zoo", "zoos")(Zoo)


def test_members_inside_other_documents() -> None:
    zoo = Zoo(
        pet=Puppy(name="p", age=2),
        animals=[Cat(name="c", lives=3), Dog(name="d", barks=4)],
        either=Cat(name="e"),
    )
    zoo.persist()
    assert [type(zoo.pet), *map(type, zoo.animals), type(zoo.either)] == [Puppy, Cat, Dog, Cat]
    loaded = Zoo.from_id(zoo.id)
    assert loaded == zoo
    assert isinstance(loaded.pet, Puppy)
    loaded.pet.age = 3
    loaded.animals[1].name = "new"
    assert loaded.persist()
    (stored,) = Zoo.filter().load_docs()
    assert stored["pet"]["age"] == 3
    assert [(a["kind"], a["name"]) for a in stored["animals"]] == [("cat", "c"), ("dog", "new")]
    assert stored["animals"][1]["barks"] == 4


def test_results_written_into_a_subclass() -> None:
    all_of_them()
    with pytest.raises(lm.QueryError, match="which Dog shares with others"):
        Animal.filter().out(Dog)
    collection = collection_of(Animal)
    collection.database["source"].insert_one({"name": "merged", "barks": 1})

    @lm.declare_persist_db("zoo", "source")
    class Source(lm.PersistableBase):
        name: str

    Source.filter().merge_into(Dog)
    assert Dog.filter(fld["name"] == "merged").count() == 1
    Animal.filter().merge_into(Animal)
    assert Animal.filter(fld["kind"] == "cat").count() == 1


def test_a_lookup_brings_the_subclass_alone() -> None:
    all_of_them()
    query = Animal.filter(fld["name"] == "a").add_fields(all={"$literal": 1})
    rows = query.lookup(
        Dog, local_field="created_at", foreign_field="created_at", as_="dogs"
    ).load_many()
    assert {dog["name"] for dog in rows[0]["dogs"]} == {"b", "c"}


def test_near_ones_of_a_subclass() -> None:
    @lm.declare_persist_db(
        "zoo", "placed", discriminator="kind", index=[lm.Index(("place", "2dsphere"))]
    )
    class Placed(lm.PersistableBase):
        place: dict[str, Any]

    class Stable(Placed):
        pass

    point = {"type": "Point", "coordinates": [14.4, 50.1]}
    Placed.persist_many([Placed(place=point), Stable(place=point)])
    near = lm.AggregationStages().geo_near(point, distance_field="far")
    assert len(Placed.agg(near).load_many()) == 2
    assert len(Stable.agg(near).load_many()) == 1


def test_objects_of_another_collection_are_refused() -> None:
    @lm.declare_persist_db("zoo", "tigers")
    class Tiger(Animal):
        pass

    with pytest.raises(TypeError, match="has a collection of its own"):
        Animal.persist_many([Animal(name="a"), Tiger(name="t")])
    assert Animal.filter().count() == 0


def test_generic_members_have_the_tag_of_their_class() -> None:
    class Box(Animal, Generic[T], tag="box"):
        content: T

    Box[int](name="b", content=3).persist()
    (loaded,) = Animal.filter().load_many()
    assert isinstance(loaded, Box)
    assert Box[int].filter().count() == 1
    typed = Box[int].from_id(loaded.id)
    assert type(typed) is Box[int]
    assert [type(box) for box in Box[int].filter().load_many()] == [Box[int]]
    typed.content = 4
    assert typed.persist()
    assert typed.reload().content == 4


def test_an_object_keeps_its_class() -> None:
    dog = Dog(name="b", barks=2)
    dog.persist()
    collection = collection_of(Animal)
    collection.update_one({"_id": dog.id}, {"$set": {"kind": "Puppy", "barks": 3}})
    with pytest.raises(lm.InvalidDocument, match="was a Dog and is a Puppy now") as caught:
        dog.reload()
    assert (caught.value.id, dog.barks) == (dog.id, 2)
    assert isinstance(Dog.from_id(dog.id), Puppy)


def test_no_other_key_chooses_the_class() -> None:
    with pytest.raises(lm.ConfigurationError, match="has a field 'kind'"):

        @lm.declare_persist_db("zoo", "aliased", discriminator="kind")
        class Aliased(lm.PersistableBase):
            sort: str = Field(validation_alias="kind")


def test_extra_keys_do_not_choose_the_class() -> None:
    @lm.declare_persist_db("zoo", "open", discriminator="kind")
    class Open(lm.PersistableBase):
        model_config = ConfigDict(extra="allow")

    class Other(Open, tag="other"):
        pass

    Open(kind="other").persist()  # type: ignore[call-arg]
    assert [type(o) for o in Open.filter().load_many()] == [Open]


def test_one_update_for_classes_that_count_and_do_not() -> None:
    class Counted(Animal):
        revision: lm.Revision = 1

    try:
        with pytest.raises(lm.QueryError, match="Counted counts its writes otherwise"):
            Animal.filter().update(name="x")
        counted = Counted(name="a")
        counted.persist()
        assert Counted.filter().update(name="b") == 1
        counted.name = "c"
        with pytest.raises(lm.StaleDocument):
            counted.persist()
    finally:
        family_of(Animal).remove(Counted)  # type: ignore[union-attr]


def test_one_validator_for_all_classes() -> None:
    schema = Animal.ensure_validator()
    all_of_them()
    collection = collection_of(Animal)
    tags = {one["properties"]["kind"]["enum"][0] for one in schema["anyOf"]}
    assert tags >= {"Animal", "dog", "Puppy", "cat"}
    for document in (
        {"name": "x", "kind": "dog", "barks": "loud"},
        {"name": "x", "kind": "unicorn"},
        {"name": 3},
        {"name": "x", "kind": "cat", "lives": 1, "unknown": True},
    ):
        with pytest.raises(WriteError, match="failed validation"):
            collection.insert_one({**document, **auto_fields()})
    collection.insert_one({"name": "from before there were tags", **auto_fields()})
    with pytest.raises(lm.ConfigurationError, match=r"Animal\.ensure_validator"):
        Dog.ensure_validator()


def auto_fields() -> dict[str, Any]:
    now = dt.datetime.now(dt.UTC)
    return {"created_at": now, "updated_time": now}


def test_changes_are_of_their_classes() -> None:
    loaded: list[str] = []

    class Heard(Animal, tag="heard"):
        def after_load(self) -> None:
            loaded.append(self.name)

    try:
        with Animal.watch() as changes:
            Animal.persist_many([Cat(name="c"), Heard(name="h")])
            kinds = [type(next(changes).document) for _ in range(2)]
        assert kinds == [Cat, Heard]
        assert loaded == ["h"]
    finally:
        family_of(Animal).remove(Heard)  # type: ignore[union-attr]
