# Generated from tests/aio/frame_rows.py by `nox -s sync`: edit that file.
"""Rows of people, and the models that they become."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import pandas as pd
import pyarrow as pa
from pydantic import BaseModel, Field

import loom_sync as lm


class Address(BaseModel):
    city: str


@lm.declare_persist_db("shop", "people", index=[lm.Index("email", unique=True)])
class Person(lm.Persistable):
    name: str
    email: lm.StrLower
    age: Annotated[int | None, Field(ge=0)] = Field(default=None, validation_alias="years")
    price: Decimal | None = None
    key: UUID | None = None
    born: dt.date | None = None
    tags: list[str] = []
    address: Address | None = None


@lm.declare_persist_db("shop", "plain")
class Plain(lm.PersistableBase):
    a: int | None = None
    b: float | None = None
    c: str | None = None
    d: dt.datetime | None = None
    e: list[int] | None = None


ROWS: list[dict[str, Any]] = [
    {"name": "Ann", "email": "Ann@x.org", "age": 30, "tags": ["a"], "born": dt.date(1990, 1, 1)},
    {"name": "Bea", "email": "BEA@x.org", "age": None, "tags": [], "born": None},
    {
        "name": "Cid",
        "email": "cid@x.org",
        "age": 7,
        "tags": ["b", "c"],
        "born": dt.date(1500, 1, 1),
    },
]


def as_pandas() -> Any:
    return pd.DataFrame(ROWS)


def as_table() -> Any:
    return pa.Table.from_pylist(ROWS)
