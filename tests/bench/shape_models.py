"""Three shapes of documents, each as a pydantic model and as a model of Loom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from bson import ObjectId
from pydantic import BaseModel, ConfigDict, Field, create_model

import loom_async as lm

DATABASE = "bench_shapes"
_START = datetime(2024, 1, 1, tzinfo=UTC)


class Shape(NamedTuple):
    """A shape of documents.

    `changed` is the field that the benchmark of saving changes; its type is `int`.
    """

    name: str
    plain: type[BaseModel]
    loom: type[lm.PersistableBase]
    row: Callable[[int], dict[str, Any]]
    changed: str


class PlainModel(BaseModel):
    """A pydantic model for documents of MongoDB, without Loom."""

    model_config = ConfigDict(arbitrary_types_allowed=True, populate_by_name=True)

    id: ObjectId = Field(default_factory=ObjectId, alias="_id")


class PlainFlat(PlainModel):
    name: str
    email: str
    age: int
    score: float
    is_active: bool
    city: str
    note: str
    visits: int
    joined_at: datetime


@lm.declare_persist_db(DATABASE, "flat")
class LoomFlat(lm.PersistableBase):
    name: str
    email: str
    age: int
    score: float
    is_active: bool
    city: str
    note: str
    visits: int
    joined_at: datetime


def flat_row(number: int) -> dict[str, Any]:
    """Return the values of a flat document: eight fields and a datetime."""
    return {
        "name": f"Person number {number}",
        "email": f"person{number}@example.com",
        "age": number % 90,
        "score": number / 7,
        "is_active": number % 2 == 0,
        "city": "Prague",
        "note": "x" * 40,
        "visits": number,
        "joined_at": _START + timedelta(minutes=number),
    }


class Line(BaseModel):
    article: str
    quantity: int
    price: float


class PlainNested(PlainModel):
    number: int
    customer: str
    lines: list[Line]
    labels: dict[str, int]


@lm.declare_persist_db(DATABASE, "nested")
class LoomNested(lm.PersistableBase):
    number: int
    customer: str
    lines: list[Line]
    labels: dict[str, int]


def nested_row(number: int) -> dict[str, Any]:
    """Return the values of a document with a list of models and a dict."""
    lines = [{"article": f"A{n}", "quantity": n, "price": n / 3} for n in range(5)]
    labels = {f"label{n}": number + n for n in range(5)}
    return {"number": number, "customer": f"C{number}", "lines": lines, "labels": labels}


# A field of each type in turn, as a wide table has them.
_TYPES: tuple[type, ...] = (int, str, float, bool)
_WIDE: dict[str, Any] = {f"field{n}": (_TYPES[n % 4], ...) for n in range(40)}

PlainWide: Any = create_model("PlainWide", __base__=PlainModel, **_WIDE)
LoomWide: Any = lm.declare_persist_db(DATABASE, "wide")(
    create_model("LoomWide", __base__=lm.PersistableBase, **_WIDE)
)


def wide_row(number: int) -> dict[str, Any]:
    """Return the values of a document with 40 flat fields."""
    values: tuple[Any, ...] = (number, f"text {number}", number / 7, number % 2 == 0)
    return {f"field{n}": values[n % 4] for n in range(40)}


SHAPES = (
    Shape("flat", PlainFlat, LoomFlat, flat_row, "age"),
    Shape("nested", PlainNested, LoomNested, nested_row, "number"),
    Shape("wide", PlainWide, LoomWide, wide_row, "field0"),
)
