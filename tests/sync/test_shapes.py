# Generated from tests/aio/test_shapes.py by `nox -s sync`: edit that file.
"""Fields of all shapes that pydantic supports: stored, loaded, edited in place, stored again."""

from __future__ import annotations

import dataclasses
import datetime as dt
import ipaddress
import pathlib
import re
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar
from uuid import UUID, uuid4

import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    Json,
    PrivateAttr,
    RootModel,
    computed_field,
    field_serializer,
    model_validator,
)
from typing_extensions import TypedDict

import loom_sync as lm
from loom_sync import fld

pytestmark = pytest.mark.usefixtures("db")
T = TypeVar("T")


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    price: Decimal = Decimal("1.0")


class Box(BaseModel, Generic[T]):
    item: T


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)

    x: int = 1


@dataclasses.dataclass
class Plain:
    a: int
    b: Decimal
    t: dt.datetime


class Keyed(TypedDict):
    a: int
    d: Decimal


class Pair(NamedTuple):
    a: int
    b: str


class Codes(RootModel[list[Decimal]]):
    pass


@lm.declare_persist_db("shop", "shapes")
class Shapes(lm.Persistable):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    box: Box[Decimal]
    plain: Plain
    keyed: Keyed
    pair: Pair
    codes: Codes
    pattern: re.Pattern[str]
    address: ipaddress.IPv4Address
    path: pathlib.Path
    big: int
    number: int | float
    frozen: Frozen = Frozen()
    several: list[Frozen] = []
    by_name: dict[str, Dog] = {}
    nested: list[list[dict[str, set[Decimal]]]] = []
    days: dict[dt.date, int] = {}
    by_key: dict[UUID, Cat] = {}
    aliased: int = Field(alias="aliasMe")
    parsed: Json[list[int]] | None = None
    _private: int = PrivateAttr(default=3)

    @model_validator(mode="before")
    @classmethod
    def drop_legacy(cls, data: Any) -> Any:
        if isinstance(data, dict):
            data.pop("legacy", None)
        return data

    @computed_field
    def double(self) -> int:
        return 2 * self.big

    @field_serializer("big")
    def serialize_big(self, value: int) -> str:
        return str(value)


def create() -> Shapes:
    return Shapes(
        pet=Dog(),
        box=Box[Decimal](item=Decimal("2.50")),
        plain=Plain(1, Decimal("1.10"), dt.datetime(2020, 1, 1, tzinfo=dt.UTC)),
        keyed={"a": 1, "d": Decimal("3.0")},
        pair=Pair(1, "x"),
        codes=Codes([Decimal("1.0")]),
        pattern=re.compile("a.b", re.IGNORECASE),
        address=ipaddress.IPv4Address("127.0.0.1"),
        path=pathlib.Path("/a/b"),
        big=2**40,
        number=3,
        several=[Frozen(x=3)],
        by_name={"r": Dog()},
        nested=[[{"k": {Decimal("1.0"), Decimal(2)}}]],
        days={dt.date(2020, 1, 1): 3},
        by_key={uuid4(): Cat()},
        aliasMe=7,
    )


def test_each_shape_round_trips() -> None:
    shapes = create()
    shapes.persist()
    loaded = Shapes.from_id(shapes.id)
    assert loaded == shapes
    assert loaded is not None
    assert loaded.persist() is False
    assert shapes.persist() is False
    document = Shapes.filter().load_docs()[0]
    assert document["aliasMe"] == 7
    assert document["big"] == 2**40
    assert "double" not in document


def test_edits_in_place_of_each_shape_are_stored() -> None:
    create().persist()
    shapes = Shapes.filter().load_one()
    assert shapes is not None
    edits = [
        lambda: setattr(shapes, "pet", Cat()),
        lambda: setattr(shapes.box, "item", Decimal(9)),
        lambda: setattr(shapes.plain, "a", 5),
        lambda: shapes.keyed.update(a=9),
        lambda: shapes.codes.root.append(Decimal(3)),
        lambda: setattr(shapes.by_name["r"], "price", Decimal(4)),
        lambda: shapes.nested[0][0]["k"].add(Decimal(9)),
        lambda: shapes.days.update({dt.date(2021, 1, 1): 1}),
        lambda: shapes.by_key.update({uuid4(): Cat(lives=1)}),
        lambda: shapes.several.append(Frozen(x=4)),
        lambda: setattr(shapes, "number", 2.5),
        lambda: setattr(shapes, "aliased", 8),
    ]
    for edit in edits:
        edit()
        assert shapes.persist() is True
        assert shapes.persist() is False
        assert Shapes.from_id(shapes.id) == shapes


def test_unknown_fields_are_kept(client: Any, db: str) -> None:
    create().persist()
    client[db].shapes.update_one({}, {"$set": {"legacy": 1, "unknown": {"x": 1}}})
    shapes = Shapes.filter().load_one()
    assert shapes is not None
    shapes.big = 1
    shapes.persist()
    document = Shapes.filter().load_docs()[0]
    assert (document["legacy"], document["unknown"], document["big"]) == (1, {"x": 1}, 1)


def test_queries_of_each_shape() -> None:
    create().persist()
    for condition in (
        fld["aliased"] == 7,
        fld["aliasMe"] == 7,
        lambda s: s.aliased == 7,
        fld["pet.price"] == Decimal("1.0"),
        fld["by_name.r.price"] >= Decimal(1),
        fld["several.x"] == 3,
        fld["pair"] == Pair(1, "x"),
        fld["address"] == ipaddress.IPv4Address("127.0.0.1"),
    ):
        assert Shapes.filter(condition).count() == 1, condition
    with pytest.raises(lm.UnknownFieldError, match="wings"):
        Shapes.filter(fld["pet.wings"] == 1)


def test_a_parent_that_another_client_removed_raises() -> None:
    shapes = create()
    shapes.persist()
    Shapes.filter().update({"$set": {"box": None}}, validate=False)
    shapes.box.item = Decimal(1)
    with pytest.raises(lm.OperationFailed, match="reload"):
        shapes.persist()
