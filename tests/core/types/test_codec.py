"""The codec of every supported annotation: stored forms, and values loaded back unchanged."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import bson
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

import loom_async as lm
from loom_async._core.bson_codec import decode_bson, encode_bson
from loom_async._core.model.codecs import codec_of
from loom_async._core.model.write_plan import plan_persist
from tests.core.storing import NOW, Mode, Point, stored_and_loaded


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Tree(BaseModel):
    value: Decimal
    children: list[Tree] = []


class Everything(lm.PersistableBase):
    text: str
    number: Annotated[int, Field(ge=-(2**63), lt=2**63)]
    ratio: float
    flag: bool
    price: Decimal
    key: UUID
    level: Level
    mode: Mode | None
    day: dt.date
    moment: dt.datetime
    length: dt.timedelta
    clock: dt.time
    data: bytes
    point: Point | None
    either: int | str | Point
    points: list[Point]
    levels: set[Level]
    numbers: frozenset[int]
    pair: tuple[int, Decimal]
    prices: dict[str, Decimal]
    by_level: dict[Level, list[Mode]]
    by_number: dict[int, dict[str, dt.date]]
    anything: Any
    tree: Tree


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
keys = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
decimals = st.decimals(
    allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9
)
points = st.builds(Point, x=st.floats(allow_nan=False), label=st.none() | texts)
ints = st.integers(-(2**63), 2**63 - 1)
days = st.dates(dt.date(1, 1, 1), dt.date(9999, 12, 31))
json_like = st.recursive(
    st.none() | st.booleans() | ints | st.floats(allow_nan=False) | texts | decimals,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
trees = st.recursive(
    st.builds(Tree, value=decimals),
    lambda inner: st.builds(Tree, value=decimals, children=st.lists(inner, max_size=2)),
    max_leaves=4,
)
everything = st.builds(
    Everything,
    text=texts,
    number=ints,
    ratio=st.floats(allow_nan=False),
    flag=st.booleans(),
    price=decimals,
    key=st.uuids(),
    level=st.sampled_from(Level),
    mode=st.none() | st.sampled_from(Mode),
    day=days,
    moment=st.datetimes(
        dt.datetime(2, 1, 1),
        dt.datetime(9998, 1, 1),
        timezones=st.none() | st.timezones(),
    ),
    length=st.timedeltas(dt.timedelta(-100_000), dt.timedelta(100_000)),
    clock=st.times(),
    data=st.binary(max_size=8),
    point=st.none() | points,
    either=ints | texts | points,
    points=st.lists(points, max_size=3),
    levels=st.sets(st.sampled_from(Level)),
    numbers=st.frozensets(ints, max_size=3),
    pair=st.tuples(ints, decimals),
    prices=st.dictionaries(keys, decimals, max_size=3),
    by_level=st.dictionaries(
        st.sampled_from(Level), st.lists(st.sampled_from(Mode), max_size=2), max_size=2
    ),
    by_number=st.dictionaries(ints, st.dictionaries(keys, days, max_size=2), max_size=2),
    anything=json_like,
    tree=trees,
)


@given(everything)
def test_values_of_every_type_are_loaded_unchanged(document: Everything) -> None:
    loaded = stored_and_loaded(document)
    assert loaded == document
    assert plan_persist(loaded, NOW) is None
    assert plan_persist(document, NOW) is None


@given(everything)
def test_a_literal_in_a_query_has_the_stored_form(document: Everything) -> None:
    for name, info in Everything.model_fields.items():
        codec, value = codec_of(info.annotation, info.metadata), getattr(document, name)
        literal, stored = codec.literal(value), codec.encode(value)
        assert encode_bson({name: literal}) == encode_bson({name: stored})


def test_stored_form_of_every_type() -> None:
    document = Everything(
        text="a", number=1, ratio=1, flag=True, price=Decimal("1.50"), key=UUID(int=1),
        level=Level.HIGH, mode=Mode.ON, day=dt.date(2024, 2, 29), moment=NOW,
        length=dt.timedelta(seconds=1.5), clock=dt.time(1, 2), data=b"x", point=Point(x=1),
        either="e", points=[], levels={Level.LOW}, numbers=frozenset(), pair=(1, Decimal(2)),
        prices={}, by_level={Level.LOW: [Mode.OFF]}, by_number={3: {}}, anything=None,
        tree=Tree(value=Decimal(1)),
    )  # fmt: skip
    stored = decode_bson(plan_persist(document, NOW).raw)  # type: ignore[union-attr]
    assert stored["price"] == bson.Decimal128("1.50")
    assert stored["mode"] == "on"
    assert stored["level"] == 2
    assert stored["day"] == dt.datetime(2024, 2, 29, tzinfo=dt.UTC)
    assert stored["length"] == 1_500_000
    assert stored["clock"] == "01:02:00.000000"
    assert stored["levels"] == [1]
    assert stored["by_level"] == {"1": ["off"]}
    assert stored["by_number"] == {"3": {}}
    assert stored["pair"] == [1, bson.Decimal128("2")]
    assert stored["tree"] == {"value": bson.Decimal128("1"), "children": []}
