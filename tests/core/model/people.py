"""A model with nested values of all kinds, for patches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import AliasPath, BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

import loom_async as lm


class Address(BaseModel):
    city: str
    street: str = ""
    floor: int | None = None


class Pin(BaseModel):
    model_config = ConfigDict(frozen=True)
    x: int
    y: int


@dataclass
class Size:
    width: int
    height: int
    note: dict[str, int] = field(default_factory=dict[str, int])


class Options(TypedDict, total=False):
    theme: str
    page: dict[str, int]


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    name: str
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    name: str


class Person(lm.PersistableBase):
    name: str
    mail: lm.StrLower = Field(default="", validation_alias="e-mail")
    age: int = Field(default=0, ge=0)
    lat: int = Field(default=0, validation_alias=AliasPath("place", "lat"))
    visits: lm.IncrCounter = 0
    address: Address = Field(default_factory=lambda: Address(city="Prague", street="Main"))
    work: Address | None = None
    homes: dict[str, Address] = {}
    floors: dict[int, Address] = {}
    past: list[Address] = []
    pin: Pin = Pin(x=1, y=2)
    size: Size = Field(default_factory=lambda: Size(1, 2))
    options: Options = {}
    pet: Cat | Dog = Field(default_factory=lambda: Cat(name="Tom"), discriminator="kind")
    meta: dict[str, Any] = {}
    code: str = Field(default="x", frozen=True)
    created: lm.TimeInserted
    touched: lm.TimeUpdated
    revision: lm.Revision = 1


def ann(**values: Any) -> Person:
    return Person(name="Ann", **values)
