"""What the registry of types says of MongoDB, asked of a server."""

from __future__ import annotations

import datetime as dt
import functools
import ipaddress
import itertools
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import PurePath, PurePosixPath
from typing import Any
from uuid import UUID

import pytest
from bson import ObjectId, Timestamp
from pydantic import AnyUrl

import loom_async as lm
from loom_async._core.types.registry import TYPES
from loom_async._core.types.stored_type import Kind, StoredType
from loom_async._core.types.values import to_bson

_PLUS = dt.timezone(dt.timedelta(hours=5))
#: Values of which MongoDB and Python could have different orders.
VALUES: dict[type, Sequence[Any]] = {
    bool: [True, False],
    int: [10, 9, -1, 2**31, -(2**63), 2**63 - 1],
    float: [10.0, 9.5, -1.0, 0.0, 1e300, float("-inf"), float("inf")],
    str: ["b", "aa", "", "Z", "a", "ä", "\U0001f4a1", "\uffff", "a\0"],
    bytes: [b"b", b"aa"],
    bytearray: [bytearray(b"b"), bytearray(b"aa")],
    UUID: [UUID(int=n) for n in (2**127, 1, 2**64, 0)],
    ObjectId: [ObjectId("f" * 24), ObjectId("0" * 24), ObjectId("7" * 24)],
    dt.datetime: [
        dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC),
        dt.datetime(2024, 1, 1, 13, tzinfo=_PLUS),
        dt.datetime(1, 1, 2, tzinfo=dt.UTC),
        dt.datetime(9999, 1, 1, tzinfo=dt.UTC),
    ],
    dt.date: [dt.date(2024, 1, 10), dt.date(2024, 1, 9), dt.date(1, 1, 1), dt.date(9999, 12, 31)],
    Decimal: [Decimal(10), Decimal("9.5"), Decimal("-1e-20"), Decimal(0), Decimal("1e300")],
    dt.time: [dt.time(12), dt.time(12, 0, 0, 1), dt.time(9), dt.time.max, dt.time.min],
    dt.timedelta: [
        dt.timedelta(seconds=10),
        dt.timedelta(seconds=9),
        dt.timedelta(-1, microseconds=1),
        dt.timedelta(days=10**8),
        dt.timedelta(days=-(10**8)),
        dt.timedelta(microseconds=1),
    ],
    PurePath: [PurePosixPath("a/b"), PurePosixPath("a.b")],
    ipaddress.IPv4Address: [ipaddress.ip_address("10.0.0.0"), ipaddress.ip_address("9.0.0.0")],
    Timestamp: [Timestamp(10, 1), Timestamp(9, 2), Timestamp(10, 0)],
}


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize(
    "entry",
    [entry for entry in TYPES if entry.kind in (Kind.SCALAR, Kind.TEXT)],
    ids=lambda entry: entry.classes[0].__name__,
)
async def test_the_order_is_the_declared_one(entry: StoredType, db: str) -> None:
    values = next((VALUES[kind] for kind in entry.classes if kind in VALUES), None)
    if values is None:
        assert not entry.is_ordered, "values are needed"
        return

    @lm.declare_persist_db(db, "ordered")
    class Row(lm.PersistableBase):
        number: int

    collection = await Row.get_db_collection()
    await collection.insert_many(
        {"number": number, "value": to_bson(value)} for number, value in enumerate(values)
    )
    found = await collection.find(sort=[("value", 1)]).to_list()
    by_server = [values[row["number"]] for row in found]
    by_python = sorted(values, key=functools.cmp_to_key(lambda a, b: (a > b) - (a < b)))
    assert (by_server == by_python) is entry.is_ordered


@pytest.mark.usefixtures("client")
async def test_the_stored_types_are_the_declared_ones(db: str) -> None:
    @lm.declare_persist_db(db, "typed")
    class Row(lm.PersistableBase):
        pass

    collection = await Row.get_db_collection()
    samples = {**VALUES, re.Pattern: [re.compile("a")], AnyUrl: [AnyUrl("http://x.y/")]}
    for kind, values in samples.items():
        entry = next(entry for entry in TYPES if kind in entry.classes)
        stored = [{"value": to_bson(value)} for value in values]
        await collection.insert_many(stored)
        pipeline = [{"$group": {"_id": {"$type": "$value"}}}]
        rows = await (await collection.aggregate(pipeline)).to_list()
        assert {row["_id"] for row in rows} <= set(entry.bson), kind
        await collection.delete_many({})


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (set[str], {"b", "a", "zz", "c"}),
        (frozenset[int], frozenset({1000, 3, 77})),
        (set[Decimal], {Decimal("2.5"), Decimal("1.50")}),
        (set[dt.date], {dt.date(2024, 1, 2), dt.date(2023, 5, 6)}),
        (list[set[str]], [{"b", "a", "zz"}, set()]),
        (set[str] | None, {"b", "a", "zz", "c"}),
        (set[lm.StrLower], {"B", "a", "ZZ", "c"}),
        (dict[str, lm.StrLower], {"k": "B"}),
        (dict[str, list[lm.StrLower]], {"k": ["B", "a"]}),
        (dict[str, set[str]], {"k": {"b", "a", "zz", "c"}}),
    ],
    ids=itertools.count(),
)
async def test_a_value_in_a_condition_has_its_stored_form(
    annotation: Any, value: Any, db: str
) -> None:
    @lm.declare_persist_db(db, "sets")
    class Tagged(lm.PersistableBase):
        tags: annotation
        copy_of_tags: annotation | None = None

    await Tagged(tags=value).persist()
    tags = lm.fld["tags"]
    assert await Tagged.filter(tags == value).count() == 1
    assert await Tagged.filter(tags.is_in([value])).count() == 1
    assert await Tagged.filter(tags != value).count() == 0
    await Tagged.filter(tags == value).update(copy_of_tags=value)
    assert await Tagged.filter(lm.fld["copy_of_tags"] == value).count() == 1
