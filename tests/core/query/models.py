"""Models and a compiler call that the tests of the query language share."""

from __future__ import annotations

import enum
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from bson import ObjectId
from pydantic import BaseModel, Field

import loom_async as lm
from loom_async._core.query.condition import to_predicate
from loom_async._core.query.filter_compiler import compile_predicate
from loom_async._core.query.model_resolver import ModelResolver


class Color(enum.Enum):
    RED = "red"
    BLUE = 2


class Address(BaseModel):
    city: str
    zip: str | None = None


class Order(BaseModel):
    sku: str
    count: int = 1
    tags: list[str] = Field(default_factory=list)


@lm.declare_persist_db("shop", "users")
class User(lm.Persistable):
    name: str = ""
    age: int = 0
    active: bool = True
    email: lm.StrLower = ""
    nick: lm.StrLower | None = None
    emails: list[lm.StrLower] = Field(default_factory=list)
    more_emails: list[lm.StrLower] | None = None
    codes: list[lm.StrUpper] = Field(default_factory=list)
    address: Address | None = None
    orders: list[Order] = Field(default_factory=list)
    scores: list[int] = Field(default_factory=list)
    matrix: list[list[int]] = Field(default_factory=list)
    friend: lm.PyObjectId | None = None
    friends: list[lm.PyObjectId] = Field(default_factory=list)
    color: Color = Color.RED
    price: Decimal = Decimal(0)
    born: date | None = None
    seen: datetime | None = None
    place: dict[str, Any] | None = None
    by_name: dict[str, Address] = Field(default_factory=dict)
    meta: dict[str, Any] = Field(default_factory=dict)
    alias: str = Field(default="", validation_alias="storedAs")


def compiled(condition: Any, model: type[Any] | None = User) -> dict[str, Any]:
    resolver = ModelResolver(model) if model else None
    return compile_predicate(to_predicate(condition, resolver), resolver)


KEYS = (ObjectId("64f8a0c0c0c0c0c0c0c0c0c0"), "64f8a0c0c0c0c0c0c0c0c0c0")
