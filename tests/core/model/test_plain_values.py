"""Values that need no validation before they are stored; every other value is validated."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import pytest
from bson import ObjectId
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

import loom_async as lm
from loom_async._core.model.plain_values import PlainValues


class Color(Enum):
    RED = 1


class Item(BaseModel):
    name: str = ""
    tags: list[str] = []


class Limited(BaseModel):
    n: Annotated[int, Field(ge=0)] = 0


class Shouting(BaseModel):
    name: str = ""

    @field_validator("name")
    @classmethod
    def _upper(cls, value: str) -> str:
        return value.upper()


class Stripped(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)
    name: str = ""


class Node(BaseModel):
    below: list[Node] = []


class Model(lm.PersistableBase):
    n: int = 0
    limited: Annotated[int, Field(ge=0)] = 0
    email: lm.StrLower = ""
    at: datetime | None = None
    day: date = date(2026, 1, 1)
    price: Decimal = Decimal(0)
    uid: UUID = UUID(int=0)
    color: Color = Color.RED
    anything: Any = None
    tags: list[str] = []
    some: Annotated[list[str], Field(max_length=2)] = []
    short: list[Annotated[str, Field(max_length=2)]] = []
    numbers: set[int] = set()
    by_key: dict[str, list[int]] = {}
    by_number: dict[int, int] = {}
    item: Item = Item()
    items: list[Item] = []
    nodes: Node = Node()
    limit: Limited = Limited()
    shout: Shouting = Shouting()
    strip: Stripped = Stripped()


plain = PlainValues(Model)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("id", ObjectId(), "x"),
        ("n", 1, "1"),
        ("n", 1, True),
        ("email", "a", 1),
        ("at", datetime.now(UTC), "now"),
        ("at", None, date(2026, 1, 1)),
        ("day", date(2026, 1, 1), datetime.now(UTC)),
        ("price", Decimal(1), 1),
        ("uid", UUID(int=1), "1"),
        ("color", Color.RED, 1),
        ("tags", ["a"], ["a", 1]),
        ("tags", [], ("a",)),
        ("numbers", {1}, {"1"}),
        ("numbers", {1}, [1]),
        ("by_key", {"a": [1]}, {"a": ["1"]}),
        ("by_key", {"a": [1]}, {1: [1]}),
        ("item", Item(), None),
        ("item", Item(tags=["a"]), Item.model_construct(tags=[1])),
        ("items", [Item()], [{"name": ""}]),
    ],
)
def test_checks(name: str, good: Any, bad: Any) -> None:
    check = plain.checks[name]
    assert check is not None
    assert check.holds(good)
    assert not check.holds(bad)


def test_anything_is_valid_for_any() -> None:
    check = plain.checks["anything"]
    assert check is not None
    assert check.holds(object())


@pytest.mark.parametrize(
    "name", ["limited", "some", "short", "by_number", "nodes", "limit", "shout", "strip"]
)
def test_constraints_and_functions_have_no_check(name: str) -> None:
    assert plain.checks[name] is None


def test_types_of_fields_with_constraints() -> None:
    check = PlainValues(Model, with_constraints=True).checks["limited"]
    assert check is not None
    assert check.holds(-1)
    assert not check.holds("x")


def test_validators_of_the_whole_model() -> None:
    class Checked(lm.PersistableBase):
        @model_validator(mode="after")
        def _check(self) -> Checked:
            return self

    assert PlainValues(Checked).has_model_validators
    assert not plain.has_model_validators
