"""Queries of a base by the fields of its subclasses."""

from __future__ import annotations

import enum
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pydantic import Field

import loom_async as lm
from loom_async import fld

pytestmark = pytest.mark.usefixtures("db")


class Coat(enum.Enum):
    SHORT = 1
    LONG = 2


@lm.declare_persist_db("zoo", "animals", discriminator="kind")
class Animal(lm.PersistableBase):
    id: int
    name: str = ""


class Dog(Animal):
    bark: int = Field(default=0, validation_alias="loudness")
    size: int = 0
    coat: Coat = Coat.SHORT


class Puppy(Dog):
    toys: list[str] = Field(default_factory=list)


class Cat(Animal):
    meow: str = ""
    size: Decimal = Decimal(0)
    coat: lm.StrLower = ""


class Fish(Animal):
    size: lm.StrUpper = ""


@lm.declare_persist_db("zoo", "homes")
class Home(lm.PersistableBase):
    id: int
    pet: Animal | None = None
    pets: list[Animal] = Field(default_factory=list)


async def stored() -> None:
    await Animal.persist_many(
        [
            Animal(id=0, name="a"),
            Dog(id=1, name="d", bark=3, size=5, coat=Coat.LONG),
            Puppy(id=2, name="p", bark=1, size=2, toys=["ball"]),
            Cat(id=3, name="c", meow="low", size=Decimal(5), coat="RED"),
            Fish(id=4, name="f", size="5"),
        ]
    )


async def ids(*conditions: Any, model: type[Animal] = Animal) -> set[int]:
    return {animal.id for animal in await model.filter(*conditions).load_many()}


async def test_conditions() -> None:
    await stored()
    assert await ids(fld["bark"] == 1) == {2}
    assert await ids(fld["loudness"] >= 1) == {1, 2}
    assert await ids(fld["toys"] == "ball") == {2}
    assert await ids((fld["bark"] == 3) | (fld["meow"] == "low")) == {1, 3}
    assert await ids(fld["bark"] != 1) == {0, 1, 3, 4}
    assert await ids(lambda a: lm.fld(a.meow).starts_with("l")) == {3}  # type: ignore[attr-defined]
    assert await ids(lambda a: a.bark > 2) == {1}  # type: ignore[attr-defined]
    assert await ids(fld["toys"] == "ball", model=Dog) == {2}


async def test_field_that_classes_store_differently() -> None:
    await stored()
    assert await ids(fld["size"] == 5) >= {1, 3}
    assert await ids(fld["size"] == "5") >= {4}
    assert await ids(fld["coat"] == Coat.LONG) == {1}
    assert await ids(fld["coat"] == "RED") == {3}
    assert await ids(fld["coat"].starts_with("RE")) == {3}
    assert await ids(fld["coat"].is_in(["RED", Coat.LONG])) == {1, 3}
    assert await ids(~(fld["coat"] == "RED")) == {0, 1, 2, 4}
    assert await ids(fld["coat"] != "RED") == {0, 1, 2, 4}
    assert await ids(fld["coat"].is_not_in(["RED"])) == {0, 1, 2, 4}
    assert await ids(fld["coat"].is_null()) == {0, 4}


async def test_other_clauses() -> None:
    await stored()
    query = Animal.filter(fld["bark"].is_exists())
    assert [dog.id for dog in await query.sort(-fld["bark"]).load_many()] == [1, 2]
    assert [dog.id for dog in await query.sort("bark").load_many()] == [2, 1]
    assert await Animal.filter().distinct("bark") == [1, 3]
    rows = await Animal.filter(fld["id"] == 1).project("bark", "meow").load_many()
    assert rows == [{"_id": 1, "loudness": 3}]
    groups = await Animal.filter().group_by("kind").acc(n=fld["bark"].max()).sort("_id").load_many()
    assert [group["n"] for group in groups] == [None, None, 3, None, 1]
    assert Animal.filter().options(hint=["bark"]) is not None


async def test_update_changes_the_classes_that_have_the_field() -> None:
    await stored()
    result = await Animal.filter().update(bark=7)
    assert (result.matched, result.modified) == (2, 2)
    documents = {d["_id"]: d for d in await Animal.filter().load_docs()}
    assert {i for i, d in documents.items() if "loudness" in d} == {1, 2}
    assert await Animal.filter().update({"$set": {"name": "x"}}) == 5
    assert await Animal.filter().update({"$push": {"toys": "bone"}}) == 1
    assert await Animal.filter(fld["id"] == 3).update(bark=1) == 0
    assert await Animal.filter().update(coat=None) in (3, 4)
    with pytest.raises(lm.QueryError, match="Dog"):
        await Animal.filter().update(coat="Red")
    with pytest.raises(lm.QueryError, match="has all of"):
        await Animal.filter().update(bark=1, meow="x")


async def test_family_inside_a_document() -> None:
    dog, cat = Dog(id=1, bark=3, coat=Coat.LONG), Cat(id=2, meow="low", coat="RED")
    await Home.persist_many([Home(id=1, pet=dog, pets=[dog, cat]), Home(id=2, pet=cat)])
    assert [h.id for h in await Home.filter(fld["pet.bark"] == 3).load_many()] == [1]
    assert [h.id for h in await Home.filter(fld["pets.meow"] == "low").load_many()] == [1]
    one = Home.filter(fld["pets"].elem_match((fld["bark"] > 1) & (fld["coat"] == Coat.LONG)))
    assert await one.count() == 1
    with pytest.raises(lm.QueryError, match="Dog"):
        Home.filter(fld["pet.coat"] == "RED")


@pytest.mark.parametrize(
    ("build", "nearest"),
    [
        (lambda: Animal.filter(fld["barc"] == 1), "bark"),
        (lambda: Animal.filter().sort("meov"), "meow"),
        (lambda: Animal.filter().project("toyz"), "toys"),
        (lambda: Animal.filter(fld["nmae"] == 1), "name"),
        (lambda: Animal.filter(lambda a: a.barc == 1), "bark"),  # type: ignore[attr-defined]
        (lambda: Cat.filter(fld["meov"] == 1), "meow"),
        (lambda: Cat.filter(fld["bark"] == 1), None),
        (lambda: Dog.filter(fld["meow"] == 1), None),
        (lambda: Home.filter(fld["pet.barc"] == 1), "bark"),
    ],
)
async def test_unknown_names(build: Callable[[], Any], nearest: str | None) -> None:
    with pytest.raises(lm.UnknownFieldError) as caught:
        build()
    assert caught.value.nearest == nearest


async def test_different_stored_names_are_refused() -> None:
    @lm.declare_persist_db("zoo", "plants", discriminator="kind")
    class Plant(lm.PersistableBase):
        pass

    class Tree(Plant):
        height: int = Field(validation_alias="h")

    class Bush(Plant):
        height: int

    assert issubclass(Tree, Plant)
    assert issubclass(Bush, Plant)
    with pytest.raises(lm.QueryError, match="stored names"):
        Plant.filter(fld["height"] == 3)
