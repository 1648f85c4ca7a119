"""Objects that are checked and encoded in one walk: the result is what the codec returns."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

import loom_async as lm
from loom_async._core.model.codecs import model_codec
from loom_async._core.model.plain_encoding import encode_if_plain
from loom_async._core.model.write_validation import replace_coerced


class Color(Enum):
    RED = "r"


class Line(BaseModel):
    name: str = ""
    n: int = Field(0, alias="number")
    color: Color = Color.RED


class Branch(BaseModel):
    line: Line = Line()
    below: list[Branch] = []


class Model(lm.PersistableBase):
    n: int = 0
    at: datetime | None = None
    price: Decimal = Decimal(0)
    lines: list[Line] = []
    prices: dict[str, Decimal] = {}
    by_name: dict[str, list[Line]] = {}
    by_number: dict[int, str] = {}
    numbers: list[int] = []
    colors: set[Color] = set()
    branch: Branch = Branch()


class Plain(lm.PersistableBase):
    n: int = 0
    at: datetime | None = None
    price: Decimal = Decimal(0)
    lines: list[Line] = []
    prices: dict[str, Decimal] = {}
    by_name: dict[str, list[Line]] = {}
    numbers: list[int] = []
    colors: set[Color] = set()


class Member(lm.PersistableBase):
    n: int = 0


#: Values of the fields, the wrong ones among them: containers are edited in place.
SCALARS: list[Any] = [0, 1, True, "a", "B", None, 1.5, Decimal(2), Color.RED, "r", ObjectId()]
MOMENTS: list[Any] = [datetime(2026, 1, 1), datetime(2026, 1, 1, microsecond=1, tzinfo=UTC)]
OBJECTS: list[Any] = [Line(), Line.model_construct(name=1), Branch(below=[Branch()])]
scalars = st.sampled_from([*SCALARS, *MOMENTS, *OBJECTS])
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", 1]), inner)
    ),
    max_leaves=4,
)
FIELDS = [name for name in Model.model_fields if name != "id"]


@given(st.dictionaries(st.sampled_from(FIELDS), values, max_size=3))
def test_the_walk_agrees_with_codec_and_validation(given_values: dict[str, Any]) -> None:
    model = Model if given_values.keys() & {"by_number", "branch"} else Plain
    document = model.model_construct(None, **given_values)
    encoded = encode_if_plain(document)
    if encoded is None:
        return
    codec = model_codec(model)
    assert encoded == codec.encode(document)
    assert list(encoded) == list(codec.encode(document))
    assert not replace_coerced(document, {**encoded})


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"lines": [Line(), Line(number=2)], "prices": {"a": Decimal(1)}},
        {"by_name": {"a": [Line()]}, "at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"numbers": [1, 2], "colors": {Color.RED}, "n": 7},
    ],
)
def test_plain_objects_take_the_short_way(attributes: dict[str, Any]) -> None:
    document = Plain(**attributes)
    assert encode_if_plain(document) == model_codec(Plain).encode(document)


def test_attributes_in_another_order_keep_the_order_of_the_model() -> None:
    document = Member(n=1)
    value = document.__dict__.pop("id")
    document.__dict__["id"] = value
    assert list(encode_if_plain(document) or ()) == ["_id", "n"]
    assert list(model_codec(Member).encode(document)) == ["_id", "n"]
