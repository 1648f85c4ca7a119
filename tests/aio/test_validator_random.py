"""Random models: the documents of valid objects pass the validator of their model."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import ipaddress
import pathlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

import pytest
from bson import MinKey
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, create_model
from pymongo.errors import OperationFailure
from typing_extensions import TypedDict

import loom_async as lm
from loom_async._core.errors import EncodingError
from tests.aio.test_persist_random import values

pytestmark = pytest.mark.usefixtures("db")


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mark(str, enum.Enum):  # noqa: UP042 - an Enum that is a str but not a StrEnum
    A = "a"
    B = "b"


@dataclasses.dataclass
class Point:
    x: int
    y: Decimal


class Keyed(TypedDict):
    a: int


class Pair(NamedTuple):
    a: int
    b: str


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    aliased: int = Field(alias="aliasMe")
    at: lm.TimeInserted = None  # type: ignore[assignment]


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")

    price: Decimal = 0  # type: ignore[assignment]
    name: str | None = None


class Tree(BaseModel):
    value: int
    children: list[Tree] = []


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
int64 = st.integers(-(2**63), 2**63 - 1)
decimals = st.decimals(-1000, 1000, places=2)
moments = st.datetimes(
    dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30), timezones=st.none() | st.just(dt.UTC)
)
special_characters = "é😀\r\n\x85\u2028"
leaves = st.builds(Tree, value=st.just(2))
keys = st.sampled_from(["a", "b", "c.d", "$e", "", "0", "é"])

# Annotations with strategies for the values that pydantic accepts.
SCALARS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (int, int64),
    (Annotated[int, Field(ge=-5, lt=5)], st.integers(-5, 4)),
    (float, st.floats() | st.integers(-9, 9)),
    (Annotated[float, Field(gt=0, le=2.5)], st.floats(0, 2.5, exclude_min=True)),
    (bool, st.booleans()),
    (str, text),
    (
        Annotated[str, Field(min_length=1, max_length=3)],
        st.text(special_characters, min_size=1, max_size=3),
    ),
    (Annotated[str, Field(pattern=r"^[^a\-]*$")], st.text(special_characters)),
    (Annotated[str, Field(pattern=r"^.{2}$|^x")], st.text("é😀\r\x85", min_size=2, max_size=2)),
    (Annotated[lm.StrLower, Field(max_length=2)], st.text("Aßé", max_size=2)),
    (lm.StrUpper, text),
    (bytes, st.binary(max_size=3)),
    (UUID, st.uuids()),
    (Decimal, decimals),
    (Annotated[Decimal, Field(ge=Decimal("-0.5"), lt=3)], st.decimals(-0.5, 2, places=1)),
    (dt.datetime, moments),
    (dt.date, st.dates()),
    (dt.time, st.times()),
    (dt.timedelta, st.timedeltas()),
    (Level, st.sampled_from(Level)),
    (Mark, st.sampled_from(Mark)),
    (Literal["a", 1, None], st.sampled_from(["a", 1, None])),
    (Any, values),
    (ipaddress.IPv4Address, st.ip_addresses(v=4)),
    (pathlib.PurePosixPath, st.just(pathlib.PurePosixPath("/a/b"))),
    (lm.IncrCounter, int64),
    (lm.TimeUpdated, st.none() | moments),
    (Point, st.builds(Point, st.integers(0, 9), decimals)),
    (Keyed, st.fixed_dictionaries({"a": st.integers(0, 9)})),
    (Pair, st.builds(Pair, st.integers(0, 9), text)),
    (Closed, st.builds(Closed, aliasMe=st.integers(0, 9))),
    (Loose, st.builds(Loose) | st.builds(Loose, price=decimals, name=text, more=values)),
    (Tree, st.builds(Tree, value=st.just(1), children=st.lists(leaves, max_size=2))),
]
HASHABLE = (int, str, Decimal, UUID, dt.date, Level, bool)

Typed = tuple[Any, st.SearchStrategy[Any]]


def wrap_types(inner: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    def wrap(typed: Typed, shape: str) -> Typed:
        kind, strategy = typed
        lists = st.lists(strategy, max_size=3)
        match shape:
            case "optional":
                return kind | None, st.none() | strategy
            case "list":
                return list[kind], lists
            case "sequence":
                return Sequence[kind], lists.map(tuple) | lists
            case "tuple":
                return tuple[kind, ...], lists.map(tuple)
            case "mapping":
                return Mapping[str, kind], st.dictionaries(keys, strategy, max_size=2)
            case "days":
                return dict[dt.date, kind], st.dictionaries(st.dates(), strategy, max_size=2)
            case "set" if kind in HASHABLE:
                return set[kind], st.sets(strategy, max_size=3)
            case "some":
                limited = Annotated[list[kind], Field(min_length=1, max_length=2)]
                return limited, st.lists(strategy, min_size=1, max_size=2)
            case _:
                return dict[str, kind], st.dictionaries(keys, strategy, max_size=2)

    shapes = "optional list sequence tuple mapping days set some dict"
    single = st.builds(wrap, inner, st.sampled_from(shapes.split()))
    union = st.builds(lambda a, b: (a[0] | b[0], a[1] | b[1]), inner, inner)
    pair = st.builds(lambda a, b: (tuple[a[0], b[0]], st.tuples(a[1], b[1])), inner, inner)
    return single | union | pair


types = st.recursive(st.sampled_from(SCALARS), wrap_types, max_leaves=3)
numbers = iter(range(10**9))


def model_of(fields: list[Typed], *, is_closed: bool) -> type[lm.Persistable]:
    config = ConfigDict(extra="forbid" if is_closed else "ignore")
    base = type("Base", (lm.Persistable,), {"model_config": config, "__module__": __name__})
    model: Any = create_model(
        "Random", __base__=base, **{f"f{n}": (kind, ...) for n, (kind, _) in enumerate(fields)}
    )
    return lm.declare_persist_db("shop", f"random_{next(numbers)}")(model)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(types, min_size=1, max_size=6), st.booleans(), st.data())
async def test_written_documents_pass_the_validator(
    client: Any, db: str, fields: list[Typed], is_closed: bool, data: st.DataObject
) -> None:
    try:
        model = model_of(fields, is_closed=is_closed)
    except (TypeError, lm.ConfigurationError):
        assume(False)
    schema = await model.ensure_validator()
    collection = client[db][model.__loom_declaration__.collection_name]  # type: ignore[union-attr]
    drawn = [
        {f"f{n}": data.draw(strategy) for n, (_, strategy) in enumerate(fields)} for _ in range(4)
    ]
    try:
        objects = [model(**field_values) for field_values in drawn]
        await objects[0].persist()
        await model.persist_many(objects[1:3])
        for name in schema["properties"].keys() & drawn[3].keys():
            setattr(objects[0], name, getattr(objects[3], name))
        await objects[0].persist()
    except (EncodingError, lm.BulkError):
        assume(False)
    document = await collection.find_one({"_id": objects[1].id})
    for name, rule in schema["properties"].items():
        if rule:
            with pytest.raises(OperationFailure):
                await collection.update_one({"_id": document["_id"]}, {"$set": {name: MinKey()}})
    await collection.drop()
