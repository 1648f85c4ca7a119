# Generated from tests/aio/test_persist_types.py by `nox -s sync`: edit that file.
"""Stored types: each value loads as an equal value of the same type."""

from __future__ import annotations

import enum
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from bson import ObjectId
from pydantic import BaseModel

import loom_sync as lm

pytestmark = pytest.mark.usefixtures("db")


class Color(enum.Enum):
    RED = "red"
    BLUE = 2


class Address(BaseModel):
    city: str


@lm.declare_persist_db("shop", "everything")
class Everything(lm.PersistableBase):
    price: Decimal
    key: UUID
    color: Color
    day: date
    moment: datetime
    data: bytes
    prices: list[Decimal]
    colors: set[Color]
    by_color: dict[Color, Decimal]
    days: dict[str, list[date]]
    address: Address | None
    ids: list[lm.PyObjectId]


def test_each_type_round_trips_exactly() -> None:
    plus2 = timezone(timedelta(hours=2))
    thing = Everything(
        price=Decimal("1.50"),
        key=uuid4(),
        color=Color.BLUE,
        day=date(2024, 2, 29),
        moment=datetime(2024, 1, 1, 12, 0, 0, 123456, tzinfo=plus2),
        data=b"\x00\xff",
        prices=[Decimal("0.1"), Decimal("-1E+3")],
        colors={Color.RED, Color.BLUE},
        by_color={Color.BLUE: Decimal(2), Color.RED: Decimal("3.0")},
        days={"a": [date(2020, 1, 1)]},
        address=None,
        ids=[ObjectId()],
    )
    thing.persist()
    loaded = Everything.from_id(thing.id)
    assert loaded == thing
    assert loaded is not None
    assert str(loaded.price) == "1.50"
    assert loaded.moment == datetime(2024, 1, 1, 10, 0, 0, 123000, tzinfo=UTC)
    assert loaded.persist() is False
    assert thing.persist() is False


def test_naive_datetimes_are_utc() -> None:
    thing = Everything.model_construct(**_everything())
    thing.moment = datetime(2024, 1, 1, 12)
    thing.persist()
    assert thing.moment == datetime(2024, 1, 1, 12, tzinfo=UTC)


def _everything() -> dict[str, Any]:
    return {
        "id": ObjectId(), "price": Decimal(1), "key": uuid4(), "color": Color.RED,
        "day": date(2020, 1, 1), "moment": datetime(2020, 1, 1, tzinfo=UTC), "data": b"",
        "prices": [], "colors": set(), "by_color": {}, "days": {}, "address": None, "ids": [],
    }  # fmt: skip
