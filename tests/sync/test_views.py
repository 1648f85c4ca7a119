# Generated from tests/aio/test_views.py by `nox -s sync`: edit that file.
"""`into` on queries for objects: only the fields of a class are loaded, by their stored names."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from pydantic import AliasPath, BaseModel, ConfigDict, Field
from pymongo import MongoClient
from typing_extensions import TypedDict

import loom_sync as lm
from loom_sync import fld
from tests.commands import commands_of

pytestmark = pytest.mark.usefixtures("db")


class Color(enum.Enum):
    RED = "red"
    BLUE = 2


class City(BaseModel):
    name: str = Field(validation_alias="n")
    zip: str = Field(default="", validation_alias="z")


class Order(BaseModel):
    sku: str = Field(validation_alias="s")
    price: Decimal = Decimal(0)
    note: str = ""


@lm.declare_persist_db("shop", "people")
class Person(lm.PersistableBase):
    id: int
    name: str = Field(validation_alias="nm")
    age: int = 0
    price: Decimal = Field(default=Decimal("1.50"), validation_alias="p")
    color: Color = Color.BLUE
    born: date = date(2020, 1, 2)
    wait: timedelta = timedelta(seconds=3)
    key: UUID = UUID(int=7)
    city: City | None = Field(default=None, validation_alias="c")
    orders: list[Order] = Field(default_factory=list)
    homes: dict[str, City] = Field(default_factory=dict)
    secret: str = "x" * 100


class PersonName(BaseModel):
    name: str


class CityName(BaseModel):
    name: str


class OrderView(BaseModel):
    sku: str
    price: Decimal


class Details(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    id: int
    price: Decimal
    color: Color
    born: date
    wait: timedelta
    key: UUID
    city: CityName | None
    orders: list[OrderView]
    homes: dict[str, CityName]
    rank: int = 5


class Flat(BaseModel):
    town: str | None = Field(default=None, validation_alias="city.name")
    postcode: str | None = Field(default=None, validation_alias=AliasPath("city", "zip"))
    skus: list[str] = Field(default_factory=list, validation_alias="orders.sku")
    first: str | None = Field(default=None, validation_alias=AliasPath("orders", 0, "sku"))


class Same(BaseModel):
    city: City | None
    orders: list[Order]


@dataclass
class NameRecord:
    name: str
    rank: int = 3


class NameDict(TypedDict):
    name: str
    age: int


def stored() -> list[Person]:
    prague = City(n="Prague", z="110 00")
    people = [
        Person(
            id=1, nm="Ann", age=30, c=prague, orders=[Order(s="a", price=Decimal("2.50"))],
            homes={"first": prague},
        ),
        Person(id=2, nm="Bea", age=20, p=Decimal("3.10"), color=Color.RED),
        Person(id=3, nm="Cid", age=40),
    ]  # fmt: skip
    Person.persist_many(people)
    return people


def test_only_the_fields_of_the_view_are_loaded(client: MongoClient[Any]) -> None:
    stored()
    with commands_of(client, "find") as sent:
        names = Person.filter(fld["age"] >= 30).sort("-age").into(PersonName).load_many()
    assert names == [PersonName(name="Cid"), PersonName(name="Ann")]
    assert sent[0]["projection"] == {"_id": 1, "nm": 1}
    with commands_of(client, "find") as sent:
        Person.filter().into(Details).load_many()
    assert sent[0]["projection"].keys() == {
        "_id", "p", "color", "born", "wait", "key", "c.n", "orders.s", "orders.price", "homes",
    }  # fmt: skip


def test_values_are_decoded_as_those_of_the_model() -> None:
    ann, bea, _ = stored()
    query = Person.filter().sort("id").into(Details)
    first, second, _ = query.load_many()
    for view, person in ((first, ann), (second, bea)):
        for name in ("id", "price", "color", "born", "wait", "key"):
            assert getattr(view, name) == getattr(person, name)
            assert type(getattr(view, name)) is type(getattr(person, name))
    assert first.city == CityName(name="Prague")
    assert first.orders == [OrderView(sku="a", price=Decimal("2.50"))]
    assert first.homes == {"first": CityName(name="Prague")}
    assert first.rank == 5
    assert (second.city, second.orders) == (None, [])


def test_every_way_to_run() -> None:
    stored()
    query = Person.filter().into(PersonName).sort("-age")
    names = ["Cid", "Ann", "Bea"]
    assert [view.name for view in query.load_many()] == names
    assert [view.name for view in query.stream()] == names
    assert query.load_one() == PersonName(name="Cid")
    assert query.filter(fld["age"] > 99).load_one() is None
    assert query.count() == 3
    assert query.exists()
    assert [view.name for view in query.skip(1).limit(1).load_many()] == ["Ann"]
    assert sorted(query.distinct("age")) == [20, 30, 40]
    assert query.load_docs()[0] == {"_id": 3, "nm": "Cid"}
    assert {view.name for view in query.sample(3).load_many()} == set(names)
    sampled = Person.filter().sample(3).into(PersonName).sort("age").limit(1).load_many()
    assert sampled == [PersonName(name="Bea")]
    assert query.explain()["ok"] == 1
    with lm.transaction():
        assert len(query.load_many()) == 3


@pytest.mark.parametrize("sort", [("-age",), ("city.name", "-price"), ("id",), ()])
def test_pages_are_sorted_by_fields_that_the_view_lacks(sort: tuple[str, ...]) -> None:
    stored()
    base = Person.filter().sort(*sort) if sort else Person.filter()
    expected = [person.name for person in base.sort("id").load_many()]
    found: list[str] = []
    token = None
    while True:
        page = base.into(PersonName).page(1, token)
        found += [view.name for view in page.items]
        token = page.next
        if token is None:
            break
    assert found == expected


def test_dotted_aliases() -> None:
    stored()
    flat = Person.filter(fld["id"] == 1).into(Flat).load_one()
    assert flat is not None
    assert flat == Flat.model_construct(town="Prague", postcode="110 00", skus=["a"], first="a")
    other = Person.filter(fld["id"] == 2).into(Flat).load_one()
    assert other == Flat.model_construct(town=None, postcode=None, skus=[], first=None)


def test_other_kinds_of_views() -> None:
    people = stored()
    query = Person.filter(fld["id"] == 1)
    assert query.into(NameRecord).load_one() == NameRecord("Ann", 3)
    assert query.into(NameDict).load_one() == {"name": "Ann", "age": 30}
    same = query.into(Same).load_one()
    assert same is not None
    assert (same.city, same.orders) == (people[0].city, people[0].orders)
    own = query.into(Person).load_one()
    assert own is not None
    assert own.model_dump() == people[0].model_dump()


def test_invalid_documents() -> None:
    stored()
    collection = Person.get_db_collection()
    collection.update_one({"_id": 2}, {"$set": {"nm": 5}})
    query = Person.filter().sort("id").into(PersonName)
    with pytest.raises(lm.InvalidDocument) as caught:
        query.load_many()
    assert caught.value.id == 2
    with lm.skipped_documents() as skipped:
        found = query.options(on_invalid="skip").load_many()
    assert [view.name for view in found] == ["Ann", "Cid"]
    assert skipped.errors[0].id == 2


class Misspelt(BaseModel):
    nam: str


class MisspeltInside(BaseModel):
    class Inner(BaseModel):
        nmae: str

    city: Inner


@pytest.mark.parametrize(("view", "nearest"), [(Misspelt, "name"), (MisspeltInside, "name")])
def test_unknown_field_has_the_nearest_name(view: type[Any], nearest: str) -> None:
    with pytest.raises(lm.UnknownFieldError) as caught:
        Person.filter().into(view)
    assert caught.value.nearest == nearest


@pytest.mark.parametrize(
    "build",
    [
        lambda: Person.filter().into(int),
        lambda: Person.filter().into("name"),
        lambda: Person.filter().into(PersonName).sort("agee"),
    ],
)
def test_what_is_no_view_is_refused(build: Callable[[], Any]) -> None:
    with pytest.raises(lm.LoomError):
        build()


@lm.declare_persist_db("zoo", "pets", discriminator="kind")
class Pet(lm.PersistableBase):
    name: str


class Hound(Pet):
    bark: int


class PetView(BaseModel):
    name: str
    bark: int | None = None


def test_view_of_a_family() -> None:
    Pet.persist_many([Pet(name="a"), Hound(name="b", bark=3)])
    views = Pet.filter().sort("name").into(PetView).load_many()
    assert views == [PetView(name="a"), PetView(name="b", bark=3)]


class Box(BaseModel):
    label: str = ""


@lm.declare_persist_db("shop", "shelves")
class Shelf(lm.PersistableBase):
    id: int
    box: Box | None = Box(label="source")
    boxes: list[Box | None] = Field(default_factory=list)


class BoxView(BaseModel):
    label: str = ""


class ShelfView(BaseModel):
    box: BoxView | None = BoxView(label="view")
    boxes: list[BoxView | None]


class RequiredBox(BaseModel):
    box: BoxView | None


def test_null_in_the_place_of_a_nested_model() -> None:
    Shelf.persist_many([Shelf(id=1, box=None, boxes=[None, Box(label="b")]), Shelf(id=2)])
    null, stored = Shelf.filter().sort("id").into(ShelfView).load_many()
    assert null == ShelfView(box=None, boxes=[None, BoxView(label="b")])
    assert stored == ShelfView(box=BoxView(label="source"), boxes=[])
    required = Shelf.filter().sort("id").into(RequiredBox).load_many()
    assert required == [RequiredBox(box=None), RequiredBox(box=BoxView(label="source"))]
