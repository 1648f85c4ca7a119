"""Which values are known to be as they are loaded."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import IntEnum
from typing import Any

import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

import loom_async as lm
from loom_async._core.bson_codec import decode_bson, encode_bson
from loom_async._core.model.codecs import codec_of
from loom_async._core.model.hydration import Validator
from loom_async._core.model.normal_values import is_normal
from loom_async._core.types.values import to_bson

WHOLE = datetime(2026, 1, 2, tzinfo=UTC)
FINE = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
ELSEWHERE = WHOLE.astimezone(timezone(timedelta(hours=1)))


class Item(BaseModel):
    at: datetime = WHOLE
    code: lm.StrLower = ""
    any: Any = None


class Special(Item):
    pass


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")


class Number(IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (list[int], [1], True),
        (datetime, WHOLE, True),
        (datetime, FINE, False),
        (datetime, ELSEWHERE, False),
        (datetime, WHOLE.replace(tzinfo=None), False),
        (list[datetime], [WHOLE], True),
        (list[datetime], [WHOLE, FINE], False),
        (set[datetime], {FINE}, False),
        (deque[datetime], deque([WHOLE]), True),
        (dict[str, datetime], {"a": WHOLE}, True),
        (dict[int, datetime], {1: FINE}, False),
        (lm.StrLower, "a", True),
        (lm.StrLower, "A", False),
        (list[lm.StrLower], ["a", "B"], False),
        (Item, Item(), True),
        (Item, Item(at=FINE), False),
        (Item, Item.model_construct(code="A"), False),
        (Item, Special(), False),
        (Item, Item(any=(1,)), False),
        (list[Item], [Item(), Item(any=[1, {"a": WHOLE}])], True),
        (Open, Open(), True),
        (Open, Open(more=1), False),  # type: ignore[call-arg]
        (Any, [1, "a", {"b": [None, 1.5, b"x", ObjectId(), Decimal(1)]}], True),
        (Any, {1: 2}, False),
        (Any, [{"$ref": "c", "$id": 1}], False),
        (Any, {1, 2}, False),
        (Any, Number.ONE, False),
        (Any, Item(), False),
        (int | datetime, FINE, False),
        (Item | None, None, True),
    ],
)
def test_values_of_each_type(annotation: Any, value: Any, *, expected: bool) -> None:
    assert is_normal(codec_of(annotation), value) is expected


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False)
    | st.text("aB", max_size=2)
    | st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=1))]))
    | st.just(FINE)
    | st.just(WHOLE)
    | st.decimals(-9, 9, places=2),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.text("a.", max_size=2) | st.integers(0, 1), inner, max_size=2)
        | st.tuples(inner)
    ),
    max_leaves=5,
)


@given(anything)
def test_a_normal_value_is_loaded_as_the_same(value: Any) -> None:
    item = Item(any=value)
    if is_normal(codec_of(Item), item):
        stored = decode_bson(encode_bson({"v": to_bson(item)}))["v"]
        (loaded,) = Validator(Item).validated([stored])
        # The driver has a class of its own for UTC.
        driver_utc = repr(loaded.at.tzinfo)
        assert repr(loaded.any).replace(driver_utc, repr(UTC)) == repr(value)
