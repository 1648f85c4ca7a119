"""`into` on aggregations reads stored names and values."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, Field

import loom_async as lm
from loom_async import fld
from tests.aio.test_views import City, Color, Order, Person

pytestmark = pytest.mark.usefixtures("db")


class CityName(BaseModel):
    name: str


class OrderView(BaseModel):
    sku: str
    price: float


class Row(BaseModel):
    id: int
    name: str
    price: Decimal
    color: Color
    city: CityName | None = None
    orders: list[OrderView] = Field(default_factory=list)


class Aliased(BaseModel):
    name: str = Field(validation_alias="label")
    price: float


async def stored() -> None:
    await Person(
        id=1, nm="Ann", age=30, c=City(n="Prague"), color=Color.RED,
        orders=[Order(s="a", price=Decimal("2.50"))],
    ).persist()  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        Person.agg(lm.AggregationStages()),
        Person.agg(lm.AggregationStages().match({"age": 30})),
        Person.filter().project("id", "name", "price", "color", "city", "orders"),
        Person.filter().add_fields(x=1),
    ],
)
async def test_rows_with_stored_names(query: Any) -> None:
    await stored()
    expected = Row(
        id=1,
        name="Ann",
        price=Decimal("1.50"),
        color=Color.RED,
        city=CityName(name="Prague"),
        orders=[OrderView(sku="a", price=2.5)],
    )
    assert await query.into(Row).load_many() == [expected]
    assert await query.into(Row).load_one() == expected
    assert [row async for row in query.into(Row).stream()] == [expected]


async def test_own_names_come_first() -> None:
    await stored()
    query = Person.filter().project("price", label=fld["name"], name={"$literal": "other"})
    assert await query.into(Aliased).load_many() == [Aliased(label="Ann", price=1.5)]
    query = Person.filter().project("price", "name", label={"$literal": "x"})
    assert await query.into(Aliased).load_many() == [Aliased(label="x", price=1.5)]


async def test_groups() -> None:
    class Group(BaseModel):
        id: Color
        price: float
        total: int

    await stored()
    groups = Person.filter().group_by("color").acc(price=fld["price"].avg(), total=lm.count())
    assert await groups.into(Group).load_many() == [Group(id=Color.RED, price=1.5, total=1)]


async def test_row_that_does_not_fit() -> None:
    await stored()
    query = Person.filter().project("id", name={"$literal": None}, price={"$literal": "x"})
    with pytest.raises(lm.InvalidDocument, match="name"):
        await query.into(Row).load_many()
    model = await Person.agg(lm.AggregationStages()).into(Person).load_one()
    assert model is not None
    assert model.name == "Ann"
