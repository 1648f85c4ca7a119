"""The Arrow schema of a model."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import pyarrow as pa
import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel, SecretStr

import loom_async as lm
from loom_async._core.arrow.arrow_types import OBJECT_ID_TYPE, TIMESTAMP, column_type


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1


class Mixed(enum.Enum):
    ONE = 1
    TWO = "two"


class Address(BaseModel):
    street: str
    zip_code: int | None = Field(default=None, validation_alias="zip")


class Names(RootModel[list[str]]):
    pass


class Tree(BaseModel):
    name: str
    children: list[Tree] = []


class Everything(lm.Persistable):
    text: lm.StrLower
    maybe: str | None = None
    other: lm.PyObjectId | None = None
    others: list[lm.PyObjectId] = []
    number: int | float = 0
    unlike: int | str = 0
    anything: Any = None
    flag: bool = False
    raw: bytes = b""
    key: UUID | None = None
    price: Decimal = Decimal(0)
    exact: Annotated[Decimal, Field(max_digits=12, decimal_places=2)] = Decimal(0)
    day: dt.date | None = None
    color: Color = Color.RED
    level: Level = Level.LOW
    mixed: Mixed = Mixed.ONE
    kind: Literal["a", "b"] = "a"
    address: Address | None = None
    homes: list[Address] = []
    tags: set[str] = set()
    pair: tuple[int, int] = (0, 0)
    counts: dict[str, int] = {}
    names: Names = Names([])
    tree: Tree | None = None
    secret: SecretStr = SecretStr("")
    visits: lm.IncrCounter = 0
    renamed: int = Field(default=0, validation_alias="storedAs")


def test_schema_of_a_model() -> None:
    address = pa.struct([("street", pa.string()), ("zip", pa.int64())])
    assert {field.name: field.type for field in Everything.get_arrow_schema()} == {
        "_id": OBJECT_ID_TYPE,
        "created_at": TIMESTAMP,
        "updated_time": TIMESTAMP,
        "text": pa.string(),
        "maybe": pa.string(),
        "other": OBJECT_ID_TYPE,
        "others": pa.list_(OBJECT_ID_TYPE),
        "number": pa.float64(),
        "unlike": pa.null(),
        "anything": pa.null(),
        "flag": pa.bool_(),
        "raw": pa.binary(),
        "key": pa.uuid(),
        "price": pa.decimal128(38, 18),
        "exact": pa.decimal128(12, 2),
        "day": pa.date32(),
        "color": pa.string(),
        "level": pa.int64(),
        "mixed": pa.null(),
        "kind": pa.string(),
        "address": address,
        "homes": pa.list_(address),
        "tags": pa.list_(pa.string()),
        "pair": pa.list_(pa.int64()),
        "counts": pa.map_(pa.string(), pa.int64()),
        "names": pa.list_(pa.string()),
        "tree": pa.struct([("name", pa.string()), ("children", pa.list_(pa.null()))]),
        "secret": pa.string(),
        "visits": pa.int64(),
        "storedAs": pa.int64(),
    }


def test_a_model_of_any_fields_has_none() -> None:
    class Open(lm.PersistableBase):
        model_config = ConfigDict(extra="allow")

    assert Open.get_arrow_schema() is None


@pytest.mark.parametrize("type_", [pa.int8(), pa.duration("s"), pa.timestamp("ns")])
def test_types_that_mongodb_lacks_are_refused(type_: Any) -> None:
    with pytest.raises(lm.ConfigurationError, match=r"a\.b\[\] has the Arrow type"):
        column_type(pa.struct([("b", pa.list_(type_))]), "a")
