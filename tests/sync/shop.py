# Generated from tests/aio/shop.py by `nox -s sync`: edit that file.
"""The models of a shop, some stored users, and short queries."""

from __future__ import annotations

import enum
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, Field

import loom_sync as lm


class Color(enum.Enum):
    RED = "red"
    BLUE = 2


class Address(BaseModel):
    city: str


@lm.declare_persist_db("shop", "users")
class User(lm.Persistable):
    name: str
    age: int = 0
    email: lm.StrLower = ""
    address: Address | None = None
    tags: list[str] = Field(default_factory=list)
    scores: list[int] = Field(default_factory=list)
    color: Color = Color.RED
    price: Decimal = Decimal(0)
    born: date | None = None
    seen: datetime | None = None
    place: dict[str, Any] | None = None
    meta: dict[str, Any] = Field(default_factory=dict)
    alias: str = Field(default="", validation_alias="storedAs")


@lm.declare_persist_db("shop", "archive")
class Archived(lm.PersistableBase):
    name: str


class Total(BaseModel):
    id: str | None = Field(alias="_id")
    n: int


def people() -> list[User]:
    users = [
        User(name="Ann", age=30, tags=["a", "b"], address=Address(city="Prague")),
        User(name="Bea", age=20, tags=["b"], address=Address(city="Brno")),
        User(name="Cid", age=30, tags=[], address=Address(city="Prague")),
        User(name="Dan", age=40),
    ]
    User.persist_many(users)
    return users


def names(query: Any) -> list[str]:
    return [user.name for user in query.load_many()]


def found(condition: Any) -> set[str]:
    return set(names(User.filter(condition)))
