"""Models for the tests of rows, and chunks of their columns."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import BaseModel, Field

import loom_async as lm
from loom_async._core.frames.chunks import Chunk

NOW = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


class Address(BaseModel):
    city: str


class Person(lm.Persistable):
    name: str
    age: Annotated[int | None, Field(ge=0)] = Field(default=None, validation_alias="years")
    address: Address | None = None


class Plain(lm.PersistableBase):
    n: int | None = None
    at: dt.datetime | None = None


class Counted(lm.PersistableBase):
    key: str
    value: int = 0
    revision: lm.Revision = 0


def chunk(columns: dict[str, list[Any]], start: int = 0) -> Chunk:
    return Chunk(start, columns, len(next(iter(columns.values()), [])))
