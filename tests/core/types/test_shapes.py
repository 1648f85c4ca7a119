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
from loom_async._core.types import forms
from loom_async._core.types.registry import entry_of
from loom_async._core.types.shapes import shape_of

T = TypeVar("T")
DATE = forms.Scalar(dt.date, entry_of(dt.date))  # type: ignore[arg-type]
DAY = forms.Shape(DATE, annotation=dt.date)
INT = forms.Shape(forms.Scalar(int, entry_of(int)), annotation=int)  # type: ignore[arg-type]
TEXT = forms.Shape(forms.Scalar(str, entry_of(str)), annotation=str)  # type: ignore[arg-type]
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
COLOR = forms.Shape(forms.Member(Color), annotation=Color)


class Pin(Secret[int]):
    pass


@pytest.mark.parametrize(
    ("annotation", "form"),
    [
        (dt.date, DATE),
        (Day, DATE),
        (Annotated[dt.date, 1], DATE),
        (Annotated[Day, 1] | None, DATE),
        (int | dt.date, forms.AnyOf((INT, DAY))),
        (int | dt.date | None, forms.AnyOf((INT, DAY))),
        (Color, forms.Member(Color)),
        (Literal[1, None], forms.OneOf((1, None))),
        (Point, forms.Model(Point)),
        (Names, forms.Model(Names)),
        (Keyed, forms.Record(Keyed, Keyed)),
        (Box[int], forms.Record(Box, Box[int])),
        (Any, forms.Anything()),
        (T, forms.Anything()),
        (Bounded, DATE),
        (Constrained, forms.AnyOf((INT, DAY))),
        (Many[int], forms.Items(list[int], list, (INT,))),
        (DBRef, forms.BsonValue(DBRef)),
        (os, forms.Other(os)),
        (re.Pattern[bytes], forms.Other(re.Pattern[bytes])),
        (AwareDatetime, forms.Scalar(AwareDatetime, entry_of(dt.datetime))),
        (Secret[dt.date], forms.Hidden(Secret[dt.date], DAY)),
        (Pin, forms.Hidden(Pin, INT)),
        (Json[int], forms.JsonText()),
        (Annotated[Box, VERSION], forms.Chosen(VERSION, DAY)),
        (list, forms.Items(list, list, ())),
        (Days, forms.Items(list[dt.date], list, (DAY,))),
        (set[int], forms.Items(set[int], set, (INT,), is_set=True)),
        (tuple[int, ...], forms.Items(tuple[int, ...], tuple, (INT,))),
        (
            tuple[int, dt.date],
            forms.Items(tuple[int, dt.date], tuple, (INT, DAY), is_fixed=True),
        ),
        (Sequence[int], forms.Items(Sequence[int], Sequence, (INT,))),
        (Iterable[int], forms.Other(Iterable[int])),
        (deque[int], forms.Items(deque[int], deque, (INT,))),
        (dict, forms.Entries(dict)),
        (Mapping[Color, int], forms.Entries(Mapping[Color, int], COLOR, INT)),
        (defaultdict[str, int], forms.Entries(defaultdict[str, int], TEXT, INT)),
        (OrderedDict[str, int], forms.Entries(OrderedDict[str, int], TEXT, INT)),
        (Counter[str], forms.Entries(Counter[str], TEXT, INT)),
    ],
    ids=lambda value: "" if type(value).__module__ == forms.__name__ else str(value),
)
def test_form_of_an_annotation(annotation: Any, form: forms.Form) -> None:
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
