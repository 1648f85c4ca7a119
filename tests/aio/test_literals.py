"""Conditions find what Python's comparisons find, for literals of each type and in JSON's form."""

from __future__ import annotations

import datetime as dt
import enum
import ipaddress
import itertools
import operator
import re
import uuid
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bson import Decimal128, ObjectId
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import AnyUrl, BaseModel, ByteSize, HttpUrl, TypeAdapter

import loom_async as lm
from loom_async import element, fld

pytestmark = pytest.mark.usefixtures("db")

MOMENT = dt.datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=dt.UTC)
KEY = uuid.UUID(int=7)
OID = ObjectId("64f8a0c0c0c0c0c0c0c0c0c0")


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    when: dt.date = dt.date(2026, 1, 2)
    key: uuid.UUID = KEY


class First(BaseModel):
    value: int = 1


class Second(BaseModel):
    value: dt.date


@lm.declare_persist_db("shop", "things")
class Thing(lm.PersistableBase):
    number: int = 18
    ratio: float = 1.5
    price: Decimal = Decimal("1.50")
    active: bool = True
    name: str = "Ann"
    lower: lm.StrLower = "ann"
    key: uuid.UUID = KEY
    day: dt.date = dt.date(2026, 1, 2)
    moment: dt.datetime | None = MOMENT
    span: dt.timedelta = dt.timedelta(hours=1)
    clock: dt.time = dt.time(3, 4)
    url: HttpUrl = HttpUrl("https://a.b")
    any_url: AnyUrl | None = AnyUrl("ftp://a.b/c")
    path: PurePosixPath = PurePosixPath("/a/b")
    ip: ipaddress.IPv4Address = ipaddress.IPv4Address("127.0.0.1")
    level: Level = Level.LOW
    color: Color = Color.RED
    owner: lm.PyObjectId = OID
    keys: list[uuid.UUID] = [KEY]
    days: set[dt.date] = {dt.date(2026, 1, 2)}
    by_name: dict[str, Decimal] = {"a": Decimal("1.50")}
    inner: Inner = Inner()
    inners: list[Inner] = [Inner()]
    mixed: int | dt.date | None = dt.date(2026, 1, 2)
    matrix: list[list[int]] = [[1, 2]]
    anything: Any = 3
    size: ByteSize = ByteSize(1000)
    either: First | Second = First()


@pytest.mark.parametrize(
    "condition",
    [
        fld["number"] == "18",
        fld["number"] == 18.0,
        fld["number"] > 17.5,
        fld["number"] == np.int64(18),
        fld["number"].is_in(["18", 3]),
        fld["number"].is_in(np.array([18, 3])),
        fld["number"].is_in(pd.Series([18, 3])),
        fld["number"] < Decimal("18.5"),
        fld["number"] != None,
        fld["ratio"] == "1.5",
        fld["ratio"] == np.float32(1.5),
        fld["ratio"] < 2**70,
        fld["ratio"] > 1,
        fld["price"] == "1.5",
        fld["price"] == 1.5,
        fld["price"] == Decimal128("1.5"),
        fld["price"] < 2**70,
        fld["price"] < 2,
        fld["active"] == "true",
        fld["active"] == np.True_,
        fld["name"] == np.str_("Ann"),
        fld["name"].starts_with("An"),
        fld["lower"] == "ANN",
        fld["lower"] == np.str_("ANN"),
        fld["key"] == str(KEY),
        fld["key"].is_in([str(KEY)]),
        fld["day"] == "2026-01-02",
        fld["day"] < MOMENT,
        fld["day"].is_in(["2026-01-02", None]),
        fld["day"] == pd.Timestamp("2026-01-02"),
        fld["moment"] == "2026-01-02T03:04:05.678Z",
        fld["moment"] == "2026-01-02T04:04:05.678+01:00",
        fld["moment"] == np.datetime64("2026-01-02T03:04:05.678", "ns"),
        fld["moment"] == pd.Timestamp(MOMENT),
        fld["moment"] > dt.date(2026, 1, 2),
        fld["moment"] > "2026-01-02",
        fld["span"] == "PT1H",
        fld["span"] == np.timedelta64(1, "h"),
        fld["clock"] == "03:04",
        fld["url"] == "https://a.b",
        fld["url"] == "https://A.b/",
        fld["url"] == AnyUrl("https://a.b"),
        fld["url"].is_in(["https://a.b", "https://c.d"]),
        fld["any_url"] == "ftp://a.b/c",
        fld["any_url"] != None,
        fld["path"] == "/a/b",
        fld["ip"] == "127.0.0.1",
        fld["level"] == 1,
        fld["level"] < 1.5,
        fld["level"] < 3,
        fld["color"] == "red",
        fld["owner"] == str(OID),
        fld["keys"] == str(KEY),
        fld["keys"] == [str(KEY)],
        fld["keys"].is_all([str(KEY)]),
        fld["keys.0"] == str(KEY),
        fld["keys"].elem_match(element == str(KEY)),
        fld["days"] == "2026-01-02",
        fld["days"] == {"2026-01-02"},
        fld["by_name.a"] == "1.5",
        fld["inner.when"] == "2026-01-02",
        fld["inners.key"] == str(KEY),
        fld["inners"].elem_match(fld["when"] == "2026-01-02"),
        fld["mixed"] == "2026-01-02",
        fld["matrix"] == [["1", 2]],
        fld["matrix.0.1"] == "2",
        fld["anything"] == np.int8(3),
        fld["size"] == "1kB",
        fld["size"] < ByteSize(2**60),
        fld["either.value"] == "1",
        lambda t: t.url == "https://a.b",
    ],
    ids=itertools.count(),
)
async def test_a_literal_is_read_as_a_value_of_the_field(condition: Any) -> None:
    await Thing().persist()
    assert await Thing.filter(condition).count() == 1


@pytest.mark.parametrize(
    "condition",
    [
        fld["moment"] == pd.NaT,
        fld["moment"] == np.datetime64("NaT"),
        fld["any_url"] == pd.NA,
        fld["mixed"].is_in([pd.NaT]),
    ],
    ids=itertools.count(),
)
async def test_missing_values_of_pandas_are_null(condition: Any) -> None:
    await Thing().persist()
    assert await Thing.filter(condition).count() == 0
    await Thing(moment=None, any_url=None, mixed=None).persist()
    assert await Thing.filter(condition).count() == 1


@pytest.mark.parametrize(
    "condition",
    [
        fld["name"] == {"$ne": None},
        fld["name"] == re.compile("A"),
        fld["number"] == 18.5,
        fld["number"] == float("nan"),
    ],
    ids=itertools.count(),
)
async def test_some_literals_equal_no_value(condition: Any) -> None:
    await Thing().persist()
    assert await Thing.filter(condition).count() == 0
    assert await Thing.filter(~condition).count() == 1


UNREADABLE: list[tuple[str, Any]] = [
    ("number", "x"), ("number", "2.5"), ("number", 2**64), ("number", b"x"), ("number", OID),
    ("number", [1]), ("number", MOMENT), ("ratio", "x"), ("price", "x"), ("price", "1" * 40),
    ("active", 2), ("active", "x"), ("name", 3), ("name", OID), ("name", ["Ann"]), ("name", True),
    ("name", "\ud800"), ("lower", 3), ("key", "x"), ("key", 3), ("day", "x"),
    ("day", "2026-01-02T03:00"), ("moment", "x"), ("span", "x"), ("url", "no url"), ("ip", "x"),
    ("level", 3), ("level", "x"), ("color", "green"), ("color", 3), ("owner", "x"), ("owner", 3),
    ("keys", "x"), ("keys", ["x"]), ("days", "x"), ("by_name.a", "x"), ("inner.when", "x"),
    ("inners.key", "x"), ("mixed", "x"), ("matrix", "x"), ("anything", object()),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value"), UNREADABLE, ids=itertools.count())
def test_a_literal_that_cannot_be_read_is_refused(path: str, value: Any) -> None:
    field = fld[path]
    for condition in (field == value, field != value, ~(field == value), field.is_in([value])):
        with pytest.raises(lm.QueryError, match=f"'{path}'"):
            Thing.filter(condition)
    with pytest.raises(lm.QueryError):
        Thing.filter(lm.raw({}) & (field.is_not_in([None, value])))


numbers = st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3)
decimals = st.decimals(-1000, 1000, places=2) | st.sampled_from([Decimal("0.1"), Decimal("2.5")])
floats = st.floats(allow_nan=False) | st.sampled_from([0.1, 2.5, 1e300, float(2**53)])
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3)
times = st.datetimes(dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30), timezones=st.just(dt.UTC))
VALUES: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "number": (int, numbers),
    "ratio": (float, floats),
    "price": (Decimal, decimals),
    "active": (bool, st.booleans()),
    "name": (str, texts),
    "key": (uuid.UUID, st.uuids()),
    "day": (dt.date, st.dates()),
    "moment": (
        dt.datetime,
        times.map(lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000)),
    ),
    "level": (Level, st.sampled_from(Level)),
    "owner": (lm.PyObjectId, st.binary(min_size=12, max_size=12).map(ObjectId)),
    "color": (Color, st.sampled_from(Color)),
    "ip": (ipaddress.IPv4Address, st.ip_addresses(v=4)),
    "span": (dt.timedelta, st.timedeltas(dt.timedelta(0), dt.timedelta(days=9))),
    "url": (HttpUrl, st.sampled_from(["https://a.b", "https://a.b/c", "http://x.y"]).map(HttpUrl)),
    "path": (PurePosixPath, st.sampled_from(["/a", "b/c", "/"]).map(PurePosixPath)),
}
# Python does not order these, or MongoDB orders their stored form.
UNORDERED = {"color", "ip", "span", "url", "path"}
NUMBERS = {"number": numbers, "ratio": floats, "price": decimals}
Compare = Callable[[Any, Any], Any]


@cache
def adapter(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation)


def forms(annotation: Any, value: Any) -> list[Any]:
    """Return a literal in Python's, in JSON's and in numpy's form."""
    json = adapter(annotation).dump_python(value, mode="json")
    given = [value, json]
    if type(json) in (int, float, bool):
        given.append(str(json))
    if isinstance(value, bool):
        given.append(np.bool_(value))
    elif isinstance(value, int):
        given.append(np.int64(value))
    return given


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, list[Any], list[Any]]:
    name = draw(st.sampled_from(sorted(VALUES)))
    annotation, values = VALUES[name]
    stored = draw(st.lists(values, min_size=1, max_size=5))
    literal = draw(st.sampled_from(stored) | values)
    given_forms = forms(annotation, literal)
    if name in NUMBERS:
        given_forms.append(draw(st.one_of(*NUMBERS.values())))
    return name, stored, given_forms


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cases())
@example(("price", [Decimal("0.10")], [0.1]))
@example(("number", [2**53, 2**53 + 1], [float(2**53)]))
@example(("ratio", [0.1], [Decimal("0.1")]))
async def test_conditions_find_what_comparisons_find(
    case: tuple[str, list[Any], list[Any]],
) -> None:
    name, stored, literals = case
    await Thing.filter().delete()
    await Thing.persist_many([Thing.model_validate({name: value}) for value in stored])
    things = await Thing.filter().load_many()
    orders: list[Compare] = [] if name in UNORDERED else [operator.lt, operator.ge]
    for literal in literals:
        value = literals[0] if isinstance(literal, str) else literal
        value = value.item() if isinstance(value, np.generic) else value
        for compare in (operator.eq, operator.ne, *orders):
            found = await Thing.filter(compare(fld[name], literal)).load_many()
            expected = [t for t in things if compare(getattr(t, name), value)]
            assert sorted(t.id for t in found) == sorted(t.id for t in expected), (compare, literal)
        found = await Thing.filter(fld[name].is_in([literal])).load_many()
        assert len(found) == sum(getattr(t, name) == value for t in things)
