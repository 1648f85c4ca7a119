"""The shapes of annotations."""

from __future__ import annotations

import datetime as dt
import enum
import os
import re
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, NewType, TypeVar

import pytest
from bson import DBRef
from pydantic import AwareDatetime, BaseModel, Json, RootModel, Secret
from typing_extensions import TypeAliasType, TypedDict

import loom_async as lm
from loom_async._core.types import shapes
from loom_async._core.types.registry import entry_of
from loom_async._core.types.shapes import shape_of

T = TypeVar("T")
DATE = shapes.Scalar(dt.date, entry_of(dt.date))  # type: ignore[arg-type]
DAY = shapes.Shape(DATE, annotation=dt.date)
INT = shapes.Shape(shapes.Scalar(int, entry_of(int)), annotation=int)  # type: ignore[arg-type]
TEXT = shapes.Shape(shapes.Scalar(str, entry_of(str)), annotation=str)  # type: ignore[arg-type]
VERSION = lm.StoredAs(dt.date, encode=str, decode=str)
Bounded = TypeVar("Bounded", bound=dt.date)
Constrained = TypeVar("Constrained", int, dt.date)


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
COLOR = shapes.Shape(shapes.Member(Color), annotation=Color)


class Pin(Secret[int]):
    pass


@pytest.mark.parametrize(
    ("annotation", "form"),
    [
        (dt.date, DATE),
        (Day, DATE),
        (Annotated[dt.date, 1], DATE),
        (Annotated[Day, 1] | None, DATE),
        (int | dt.date, shapes.AnyOf((INT, DAY))),
        (int | dt.date | None, shapes.AnyOf((INT, DAY))),
        (Color, shapes.Member(Color)),
        (Literal[1, None], shapes.OneOf((1, None))),
        (Point, shapes.Model(Point)),
        (Names, shapes.Model(Names)),
        (Keyed, shapes.Record(Keyed)),
        (Box[int], shapes.Record(Box)),
        (Any, shapes.Anything()),
        (T, shapes.Anything()),
        (Bounded, DATE),
        (Constrained, shapes.AnyOf((INT, DAY))),
        (Many[int], shapes.Items(list[int], list, (INT,))),
        (DBRef, shapes.BsonValue(DBRef)),
        (os, shapes.Other(os)),
        (re.Pattern[bytes], shapes.Other(re.Pattern[bytes])),
        (AwareDatetime, shapes.Scalar(AwareDatetime, entry_of(dt.datetime))),
        (Secret[dt.date], shapes.Hidden(Secret[dt.date], DAY)),
        (Pin, shapes.Hidden(Pin, INT)),
        (Json[int], shapes.JsonText()),
        (Annotated[Box, VERSION], shapes.Chosen(VERSION, DAY)),
        (list, shapes.Items(list, list, ())),
        (Days, shapes.Items(list[dt.date], list, (DAY,))),
        (set[int], shapes.Items(set[int], set, (INT,), is_set=True)),
        (tuple[int, ...], shapes.Items(tuple[int, ...], tuple, (INT,))),
        (
            tuple[int, dt.date],
            shapes.Items(tuple[int, dt.date], tuple, (INT, DAY), is_fixed=True),
        ),
        (Sequence[int], shapes.Items(Sequence[int], Sequence, (INT,))),
        (Iterable[int], shapes.Other(Iterable[int])),
        (deque[int], shapes.Items(deque[int], deque, (INT,))),
        (dict, shapes.Entries(dict)),
        (Mapping[Color, int], shapes.Entries(Mapping[Color, int], COLOR, INT)),
        (defaultdict[str, int], shapes.Entries(defaultdict[str, int], TEXT, INT)),
        (OrderedDict[str, int], shapes.Entries(OrderedDict[str, int], TEXT, INT)),
        (Counter[str], shapes.Entries(Counter[str], TEXT, INT)),
    ],
    ids=lambda value: "" if type(value).__module__ == shapes.__name__ else str(value),
)
def test_form_of_an_annotation(annotation: Any, form: shapes.Form) -> None:
    found = shape_of(annotation).form
    assert type(found) is type(form)
    assert found == form


@pytest.mark.parametrize(
    ("annotation", "metadata", "is_optional"),
    [
        (int, (), False),
        (int | None, (), True),
        (int | dt.date | None, (), True),
        (Annotated[Day, 1] | None, (1,), True),
        (Annotated[int | None, 1], (1,), True),
        (Annotated[list[int], 1], (1,), False),
    ],
    ids=str,
)
def test_metadata_and_optional(
    annotation: Any, metadata: tuple[Any, ...], is_optional: bool
) -> None:
    shape = shape_of(annotation)
    assert (shape.metadata, shape.is_optional) == (metadata, is_optional)


def test_the_innermost_metadata_comes_first() -> None:
    shape = shape_of(Annotated[Annotated[int, 1] | None, 2], [3])
    assert shape.metadata == (1, 2, 3)
    assert shape.is_optional
