"""Values that an update sets are those that the fields accept."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

import pytest
from bson import Decimal128
from pydantic import BaseModel, ConfigDict, Field, field_validator
from typing_extensions import TypedDict

import loom_async as lm
from loom_async._core.clock import now
from loom_async._core.query.query_update import UpdateArguments, compile_query_update

T = TypeVar("T")


class Line(BaseModel):
    sku: lm.StrLower
    count: Annotated[int, Field(ge=1)] = 1


class Order(lm.PersistableBase):
    model_config = ConfigDict(strict=True)

    name: str = Field(default="", max_length=3)
    age: Annotated[int, Field(ge=0)] = 0
    price: Decimal = Decimal(0)
    born: date | None = None
    lines: list[Line] = []
    first: Line | None = None
    by_name: dict[str, Line] = {}
    meta: dict[str, Any] = {}
    even: int = Field(default=0, validation_alias="storedEven")

    @field_validator("even")
    @classmethod
    def _is_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("must be even")
        return value


def compiled(values: Any, *, validate: bool = True, **keywords: Any) -> Any:
    arguments = UpdateArguments(values, {}, validate=validate, **keywords)
    return compile_query_update(Order, {}, arguments, now()).update


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"age": "18"}, {"age": 18}),
        ({"price": "1.50"}, {"price": Decimal128("1.50")}),
        ({"born": "2020-01-02"}, {"born": datetime(2020, 1, 2)}),
        ({"even": 2}, {"storedEven": 2}),
        ({"storedEven": 2}, {"storedEven": 2}),
        ({"first": {"sku": "A"}}, {"first": {"sku": "a", "count": 1}}),
        ({"first": None}, {"first": None}),
        ({"first.sku": "A"}, {"first.sku": "a"}),
        ({"lines.$[].count": "3"}, {"lines.$[].count": 3}),
        ({"lines": [{"sku": "A"}]}, {"lines": [{"sku": "a", "count": 1}]}),
        ({"meta.x": {"$ne": None}}, {"meta.x": {"$ne": None}}),
    ],
    ids=repr,
)
def test_values_are_read_as_by_the_field(values: Any, expected: Any) -> None:
    found = compiled(values)["$set"]
    born = found.get("born")
    if born is not None:
        found["born"] = born.replace(tzinfo=None)
    assert found == expected
    assert compiled({"$setOnInsert": values})["$setOnInsert"].keys() == expected.keys()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"age": "old"}, "Order.age cannot be set to 'old'"),
        ({"age": -1}, "greater than or equal to 0"),
        ({"age": None}, "Order.age"),
        ({"name": "long"}, "at most 3"),
        ({"even": 3}, "must be even"),
        ({"first.count": 0}, "Line.count"),
        ({"first": {"sku": 1}}, "Order.first.sku"),
        ({"lines": [{"sku": "A", "count": 0}]}, "Order.lines.0.count"),
        ({"lines.$[].count": 0}, "Line.count"),
        ({"lines.$.sku": None}, "Line.sku"),
        ({"by_name.a.count": 0}, "Line.count"),
    ],
    ids=repr,
)
def test_values_that_would_not_load_are_refused(values: Any, message: str) -> None:
    for update in (values, {"$set": values}, {"$setOnInsert": values}):
        with pytest.raises(lm.QueryError) as caught:
            compiled(update)
        assert message in str(caught.value)
        assert compiled(update, validate=False)


@dataclass
class Box(Generic[T]):
    value: T


class Entry(TypedDict):
    number: int


class Swapped(lm.PersistableBase):
    a: Annotated[int, lm.StoredName("b")] = 0
    b: Annotated[timedelta, lm.StoredName("a")] = timedelta(0)
    box: Box[timedelta] | None = None
    entry: Entry = {"number": 0}


def test_values_of_records_and_of_fields_with_swapped_stored_names() -> None:
    def compiled_for_swapped(values: Any) -> Any:
        arguments = UpdateArguments(values, {}, validate=True)
        return compile_query_update(Swapped, {}, arguments, now()).update["$set"]  # type: ignore[call-overload]

    second = timedelta(seconds=1)
    assert compiled_for_swapped({"a": "1", "b": second}) == {"b": 1, "a": 1_000_000}
    assert compiled_for_swapped({"box.value": second}) == {"box.value": 1_000_000}
    assert compiled_for_swapped({"entry.number": "5"}) == {"entry.number": 5}
    for values, message in (
        ({"box.value": "x"}, r"Box\.value cannot be set to 'x'"),
        ({"entry.number": "x"}, r"Entry\.number cannot be set to 'x'"),
        ({"box": {"value": "x"}}, r"Swapped\.box\.value cannot be set to 'x'"),
    ):
        with pytest.raises(lm.QueryError, match=message):
            compiled_for_swapped(values)
