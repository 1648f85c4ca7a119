"""Random annotations made of the table of types, and random values: what is stored loads equal."""

from __future__ import annotations

import datetime as dt
import enum
import ipaddress
import pathlib
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple, Union
from uuid import UUID

import pytest
from bson import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Secret, SecretStr

import loom_async as lm
from loom_async._core.bson_codec import encode_bson
from loom_async._core.model.codecs import codec_of
from loom_async._core.model.write_plan import plan_persist
from tests.core.storing import NOW, stored_and_loaded


class Day(enum.Enum):
    FIRST = dt.date(2024, 1, 1)
    SPAN = dt.timedelta(1)
    PAIR = (1, 2)
    PRICE = Decimal("1.5")


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 20


class Spot(NamedTuple):
    x: int
    after: dt.timedelta


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
moments = st.datetimes(dt.datetime(2, 1, 1), dt.datetime(9998, 1, 1), timezones=st.just(dt.UTC))
decimals = st.decimals(-(10**9), 10**9, places=3)
spans = st.timedeltas(dt.timedelta(-(10**8)), dt.timedelta(10**8))
#: Annotations of scalars with their values.
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: texts,
    int: st.integers(-(2**63), 2**63 - 1),
    bool: st.booleans(),
    float: st.floats(allow_nan=False),
    Decimal: decimals,
    dt.date: st.dates(),
    dt.time: st.times(),
    dt.timedelta: spans,
    UUID: st.uuids(),
    bytes: st.binary(max_size=5),
    lm.PyObjectId: st.binary(min_size=12, max_size=12).map(ObjectId),
    Day: st.sampled_from(Day),
    Level: st.sampled_from(Level),
    Fraction: st.fractions(),
    pathlib.PurePosixPath: st.sampled_from(["a", "a/b", "/x"]).map(pathlib.PurePosixPath),
    ipaddress.IPv4Address: st.ip_addresses(v=4),
}
UNHASHABLE: dict[Any, st.SearchStrategy[Any]] = {
    SecretStr: texts.map(SecretStr),
    Secret[dt.timedelta]: spans.map(Secret[dt.timedelta]),
    Spot: st.builds(Spot, st.integers(0, 9), spans),
}
Typed = tuple[Any, st.SearchStrategy[Any]]
hashable: st.SearchStrategy[Typed] = st.sampled_from(list(SCALARS.items()))
scalars = hashable | st.sampled_from(list(UNHASHABLE.items()))


def _array(typed: Typed) -> st.SearchStrategy[Typed]:
    annotation, values = typed
    lists = st.lists(values, max_size=3)
    return st.sampled_from(
        [
            (list[annotation], lists),
            (Sequence[annotation], lists),
            (deque[annotation], lists.map(deque)),
            (tuple[annotation, ...], lists.map(tuple)),
            (annotation | None, st.none() | values),
        ]
    )


def _set(typed: Typed) -> st.SearchStrategy[Typed]:
    annotation, values = typed
    return st.sampled_from(
        [
            (set[annotation], st.sets(values, max_size=3)),
            (frozenset[annotation], st.frozensets(values, max_size=3)),
        ]
    )


def _pair(pair: tuple[Typed, Typed]) -> st.SearchStrategy[Typed]:
    (first, firsts), (second, seconds) = pair
    return st.just((tuple[first, second], st.tuples(firsts, seconds)))


def _mapping(parts: tuple[Typed, Typed, Typed]) -> st.SearchStrategy[Typed]:
    (key, keys), (part, parts_), (value, values) = parts
    entries = st.dictionaries(keys, values, max_size=3)
    pairs = st.dictionaries(st.tuples(keys, parts_), values, max_size=2)
    return st.sampled_from(
        [
            (dict[key, value], entries),
            (Mapping[key, value], entries),
            (OrderedDict[key, value], entries.map(OrderedDict)),
            (dict[tuple[key, part], value], pairs),
        ]
    )


def _wrapped(inner: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    return st.one_of(
        inner.flatmap(_array),
        hashable.flatmap(_set),
        st.tuples(inner, inner).flatmap(_pair),
        st.tuples(hashable, hashable, inner).flatmap(_mapping),
    )


annotations = st.recursive(scalars, _wrapped, max_leaves=4)


@given(st.data())
@settings(max_examples=200, derandomize=True, suppress_health_check=list(HealthCheck))
def test_what_is_stored_loads_equal(data: st.DataObject) -> None:
    annotation, values = data.draw(annotations)

    class Random(lm.PersistableBase):
        value: annotation

    document = Random(value=data.draw(values))
    given_value = document.value
    literal = codec_of(annotation).literal(given_value)
    stored = codec_of(annotation).encode(given_value)
    assert encode_bson({"": literal}) == encode_bson({"": stored})
    loaded = stored_and_loaded(document)
    assert loaded.value == given_value
    assert type(loaded.value) is type(given_value)
    assert plan_persist(loaded, NOW) is None
    assert plan_persist(document, NOW) is None


@given(st.data())
@settings(max_examples=150, derandomize=True, suppress_health_check=list(HealthCheck))
def test_a_union_is_exact_or_refuses_the_value(data: st.DataObject) -> None:
    options = data.draw(st.lists(annotations, min_size=2, max_size=3))
    union: Any = options[0][0]
    for annotation, _ in options[1:]:
        union = Union[union, annotation]  # noqa: UP007
    document: Any = None
    value = data.draw(st.one_of(*(values for _, values in options)))

    class Random(lm.PersistableBase):
        value: union

    document = Random.model_construct(id=ObjectId(), value=value)
    try:
        loaded = stored_and_loaded(document)
    except lm.EncodingError:
        return
    assert loaded.value == value
    assert isinstance(value, type(loaded.value))


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (dict[int | str, int], {1: 1, "1": 2}),
        (dict[Any, int], {1: 1, "1": 2}),
        (dict, {None: 1, "None": 2}),
        (dict[str, dict[Any, int]], {"a": {1.5: 1, "1.5": 2}}),
        (Any, [{1: 1, "1": 2}]),
        (dict[int | str, int], {"1": 1}),
        (dict[str | None, int], {"None": 1}),
        (pathlib.Path | str, pathlib.Path("a")),
        (set[int] | list[int], {1}),
        (dt.date | dt.datetime, dt.date(2024, 1, 1)),
    ],
)
def test_what_would_load_as_another_value_is_refused(annotation: Any, value: Any) -> None:
    class Holder(lm.PersistableBase):
        value: annotation

    with pytest.raises(lm.EncodingError, match="'value"):
        plan_persist(Holder(value=value), NOW)


def test_an_enum_whose_members_would_be_stored_alike_is_no_type_of_keys() -> None:
    class Mixed(enum.Enum):
        NUMBER = 1
        TEXT = "1"

    class Holder(lm.PersistableBase):
        value: dict[Mixed, int] = {}

    with pytest.raises(lm.ConfigurationError, match="same text '1'"):
        plan_persist(Holder(), NOW)
