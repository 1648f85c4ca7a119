"""The shapes of annotations."""

from __future__ import annotations

import datetime as dt
import enum
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, NewType, TypeVar

import pytest
from bson import DBRef
from pydantic import BaseModel, RootModel
from typing_extensions import TypeAliasType, TypedDict

from loom_async._core.types import shapes
from loom_async._core.types.registry import entry_of
from loom_async._core.types.shapes import shape_of

T = TypeVar("T")
DAY = shapes.Scalar(dt.date, entry_of(dt.date))  # type: ignore[arg-type]
INT = shapes.Scalar(int, entry_of(int))  # type: ignore[arg-type]


class Color(enum.Enum):
    RED = 1


class Point(BaseModel):
    x: int


class Names(RootModel[list[str]]):
    pass


class Keyed(TypedDict):
    a: int


@dataclass
class Box(Generic[T]):
    inside: T


Days = TypeAliasType("Days", list[dt.date])
Many = TypeAliasType("Many", list[T], type_params=(T,))
Day = NewType("Day", dt.date)


@pytest.mark.parametrize(
    ("annotation", "shape"),
    [
        (dt.date, DAY),
        (Day, DAY),
        (Annotated[dt.date, 1], shapes.Scalar(dt.date, DAY.entry, metadata=(1,))),
        (
            Annotated[Day, 1] | None,
            shapes.Scalar(dt.date, DAY.entry, metadata=(1,), is_optional=True),
        ),
        (int | dt.date, shapes.AnyOf((INT, DAY))),
        (int | dt.date | None, shapes.AnyOf((INT, DAY), is_optional=True)),
        (Color, shapes.Member(Color)),
        (Literal[1, None], shapes.OneOf((1, None))),
        (Point, shapes.Model(Point)),
        (Names, shapes.Model(Names)),
        (Keyed, shapes.Record(Keyed)),
        (Box[int], shapes.Record(Box)),
        (Any, shapes.Anything()),
        (T, shapes.Anything()),
        (Many[int], shapes.Anything()),
        (DBRef, shapes.BsonValue(DBRef)),
        (complex, shapes.Other(complex)),
        (list, shapes.Items(list, list, ())),
        (Days, shapes.Items(list[dt.date], list, (DAY,))),
        (set[int], shapes.Items(set[int], set, (INT,), is_set=True)),
        (tuple[int, ...], shapes.Items(tuple[int, ...], tuple, (INT,))),
        (tuple[int, dt.date], shapes.Items(tuple[int, dt.date], tuple, (INT, DAY))),
        (Sequence[int], shapes.Items(Sequence[int], Sequence, (INT,))),
        (Iterable[int], shapes.Items(Iterable[int], Iterable, (INT,))),
        (dict, shapes.Entries(dict)),
        (Mapping[Color, int], shapes.Entries(Mapping[Color, int], Color, INT)),
        (defaultdict[str, int], shapes.Entries(defaultdict[str, int], str, INT, in_json=True)),
        (Counter[str], shapes.Other(Counter[str])),
    ],
    ids=lambda value: str(value) if not isinstance(value, shapes.Shape) else "",
)
def test_shape_of(annotation: Any, shape: shapes.AnyShape) -> None:
    assert shape_of(annotation) == shape


def test_the_innermost_metadata_comes_first() -> None:
    shape = shape_of(Annotated[Annotated[int, 1] | None, 2], [3])
    assert shape.metadata == (1, 2, 3)
    assert shape.is_optional
