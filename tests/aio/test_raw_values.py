"""Values in raw filters, stages, expressions and updates are encoded as those of documents are."""

from __future__ import annotations

import datetime as dt
import enum
import ipaddress
import itertools
import uuid
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import AnyUrl, BaseModel, Field, SecretBytes, SecretStr

import loom_async as lm
from loom_async import AggregationStages, element, fld

pytestmark = pytest.mark.usefixtures("db")


class Color(enum.Enum):
    RED = "red"


class Part(BaseModel):
    name: lm.StrLower = ""
    price: Decimal = Field(default=Decimal(0), validation_alias="cost")


@lm.declare_persist_db("shop", "kept")
class Kept(lm.Persistable):
    value: Any = None
    name: lm.StrLower = ""
    tags: list[lm.StrLower] = []
    days: list[dt.date] = []
    prices: list[Decimal] = []
    parts: list[Part] = []
    part: Part = Part()
    total: Decimal = Decimal(0)


@lm.declare_persist_db("shop", "counted")
class Counted(lm.Persistable):
    revision: lm.Revision
    name: lm.StrLower = ""


VALUES: list[Any] = [
    Decimal("1.50"), Color.RED, dt.date(2026, 1, 2), dt.time(3, 4), dt.timedelta(hours=1),
    dt.datetime(2026, 1, 2), uuid.UUID(int=7), {"b", "a"}, frozenset({3}), (1, 2),
    Part(name="A", cost=Decimal(2)), SecretStr("s"), SecretBytes(b"s"), AnyUrl("http://a.b/"),
    PurePosixPath("/a"), ipaddress.IPv4Address(7), [Decimal(1), {"x": Color.RED}], {"k": {1}},
    np.int64(2**60 + 1), np.float32(0.5), np.bool_(True), pd.Timestamp("2026-01-02"),
    {Color.RED: 1},
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=itertools.count())
async def test_a_value_equals_what_is_stored(value: Any) -> None:
    kept = Kept(value=value)
    await kept.persist()
    equal: dict[str, Any] = {"value": {"$eq": value}}
    computed = {"$eq": ["$value", {"$literal": value}]}
    nested = AggregationStages().match(equal)
    for query in (
        Kept.filter(lm.raw(equal)),
        Kept.filter(lm.raw({"$and": [{"value": {"$in": [None, value]}}, equal]})),
        Kept.filter(lm.raw({"$expr": computed})),
        Kept.filter(fld["value"] == value),
        Kept.filter(fld["value"].is_in([value])),
        Kept.agg(nested),
        Kept.agg(AggregationStages({"$match": equal})),
        Kept.agg(AggregationStages().raw({"$match": equal})),
        Kept.agg(AggregationStages().facet(found=nested)).agg(
            AggregationStages().match({"found": {"$size": 1}})
        ),
        Kept.filter().add_fields(same=computed).filter(fld["same"] == True),
        Kept.filter().project(same=computed).filter(lm.raw({"same": True})),
        Kept.filter()
        .add_fields(x={"$literal": value})
        .agg(AggregationStages().match({"$expr": {"$eq": ["$x", "$value"]}})),
        Kept.filter().group_by().acc(n={"$sum": {"$cond": [computed, 1, 0]}}).filter(fld["n"] == 1),
    ):
        assert await query.count() == 1, query
    table = await Kept.aggregate_arrow([{"$match": equal}, {"$project": {"name": 1}}])
    assert table.num_rows == 1
    found = await Kept.filter().load_docs()
    copies = Kept.filter()
    await copies.update({"$set": {"value": None}})
    await copies.update([{"$set": {"value": {"$literal": value}}}])
    assert (await Kept.filter().load_docs())[0]["value"] == found[0]["value"]


class Unknown:
    pass


@pytest.mark.parametrize(
    "value",
    [Unknown(), Decimal("1" * 40), fld["name"] == "a"],
    ids=["class", "decimal", "predicate"],
)
async def test_what_bson_lacks_is_refused_with_its_place(value: Any) -> None:
    for place, build in {
        r"raw\(\) at 'a.0.b'": lambda: lm.raw({"a": [{"b": value}]}),
        r"\$match at 'a.b'": lambda: AggregationStages().match({"a": {"b": value}}),
        r"\$group at 'x.\$sum'": lambda: AggregationStages().group(x={"$sum": value}),
        r"\$set at 'x'": lambda: AggregationStages({"$set": {"x": value}}),
        "the expression of 'x'": lambda: Kept.filter().add_fields(x={"$add": [value]}),
        "the expression of 'y'": lambda: Kept.filter().project(y=value),
        r"acc\(n=…\)": lambda: Kept.filter().group_by().acc(n={"$sum": value}),
    }.items():
        with pytest.raises(lm.QueryError, match=place):
            build()
    for update in (
        {"$pull": {"tags": {"$mod": value}}},
        {"$push": {"tags": {"$each": ["a"], "$slice": value}}},
        [{"$set": {"name": {"$concat": [value]}}}],
    ):
        with pytest.raises(lm.QueryError):
            await Kept.filter().update(update)
    if not isinstance(value, lm.Predicate):
        with pytest.raises(lm.EncodingError, match="'value'"):
            await Kept.filter().update(value=value)


async def test_fields_are_paths_in_expressions() -> None:
    await Kept(name="a", part=Part(cost=Decimal(2)), total=Decimal(3)).persist()
    row = await Kept.filter().project(x={"$add": [fld["part.price"], fld["total"]]}).load_one()
    assert row is not None
    assert row["x"].to_decimal() == 5
    rows = await Kept.filter().group_by("name").acc(n={"$max": fld["part.price"]}).load_many()
    assert [row["n"].to_decimal() for row in rows] == [2]
    with pytest.raises(lm.UnknownFieldError):
        Kept.filter().add_fields(x={"$add": [fld["part.prize"], 1]})


async def updated(kept: Kept, update: Any) -> Kept:
    await kept.persist()
    await Kept.filter(fld["id"] == kept.id).update(update)
    return await kept.reload()


@pytest.mark.parametrize(
    ("operand", "left"),
    [
        ({"tags": "A"}, ["b", "c"]),
        ({"tags": {"$in": ["A", "B"]}}, ["c"]),
        ({"tags": {"$nin": ["A"]}}, ["a"]),
        ({"tags": {"$ne": "A"}}, ["a"]),
        ({"tags": {"$gte": "B"}}, ["a"]),
        ({"tags": {"$regex": "^A", "$options": "i"}}, ["b", "c"]),
        ({"tags": element.is_in(["A", "C"])}, ["b"]),
    ],
    ids=repr,
)
async def test_pull_normalises_values(operand: Any, left: list[str]) -> None:
    kept = await updated(Kept(tags=["a", "b", "c"]), {"$pull": operand})
    assert kept.tags == left


async def test_pull_encodes_values() -> None:
    days, prices = [dt.date(2026, 1, day) for day in (1, 2, 3)], [Decimal(1), Decimal("2.5")]
    kept = Kept(days=days, prices=prices)
    await updated(kept, {"$pull": {"days": {"$in": ["2026-01-01", days[1]]}}})
    await updated(kept, {"$pull": {"prices": {"$gte": Decimal(2)}}})
    assert (kept.days, kept.prices) == (days[2:], prices[:1])
    await updated(kept, {"$pullAll": {"days": ["2026-01-03"]}})
    assert kept.days == []


@pytest.mark.parametrize(
    "operand",
    [
        {"name": "A", "price": Decimal(2)},
        {"price": 2, "name": "a"},
        {"name": "A", "cost": "2"},
        Part(name="A", cost=Decimal(2)),
        fld["price"] == Decimal(2),
        (fld["name"] == "A") & (fld["price"] > 1),
        lm.raw({"cost": {"$gt": Decimal(1)}}),
    ],
    ids=repr,
)
async def test_pull_knows_the_names_of_items(operand: Any) -> None:
    parts = [Part(name="a", cost=Decimal(2)), Part(name="b")]
    kept = await updated(Kept(parts=parts), {"$pull": {"parts": operand}})
    assert kept.parts == parts[1:]


async def test_documents_in_conditions_and_updates_have_stored_names() -> None:
    kept = await updated(Kept(), {"part": {"price": "2.5", "name": "X"}})
    assert kept.part == Part(name="x", cost=Decimal("2.5"))
    assert await Kept.filter(fld["part"] == {"price": Decimal("2.5"), "name": "X"}).count() == 1
    await updated(kept, {"$push": {"parts": {"name": "Y", "price": 1}}})
    assert await Kept.filter(fld["parts"] == {"name": "Y", "cost": 1}).count() == 1


async def test_an_update_by_a_pipeline() -> None:
    kept = await updated(
        Kept(name="a", part=Part(cost=Decimal(2)), total=Decimal(3)),
        [
            {"$set": {"total": {"$add": ["$total", fld["part.price"], Decimal("0.5")]}}},
            {"$set": {"name": "B", "value": "$total", "tags": ["X"]}},
            {"$unset": "part.price"},
        ],
    )
    assert (kept.total, kept.name, kept.value) == (Decimal("5.5"), "b", Decimal("5.5"))
    assert (kept.tags, kept.part) == (["x"], Part())
    before = kept.updated_time
    with lm.config_context(clock=lambda: dt.datetime(2100, 1, 1, tzinfo=dt.UTC)):
        await updated(kept, AggregationStages().set(total={"$add": [fld["total"], 1]}))
    assert kept.total == Decimal("6.5")
    assert kept.updated_time.year == 2100 > before.year
    counted = Counted()
    await counted.persist()
    assert await Counted.filter().update([{"$set": {"name": "Ann"}}]) == 1
    await counted.reload()
    assert (counted.revision, counted.name) == (2, "ann")
    with pytest.raises(lm.QueryError):
        await Kept.filter().update([{"$replaceWith": {"a": 1}}])


async def test_a_partial_index_over_encoded_values() -> None:
    @lm.declare_persist_db(
        "shop",
        "partial",
        index=[lm.Index("name", unique=True, partial={"total": {"$gt": Decimal(5)}})],
    )
    class Partial(lm.Persistable):
        name: str
        total: Decimal

    await Partial(name="a", total=Decimal(5)).persist()
    await Partial(name="a", total=Decimal(6)).persist()
    with pytest.raises(lm.DuplicateKey):
        await Partial(name="a", total=Decimal(7)).persist()
    assert not await Partial.sync_indexes()
