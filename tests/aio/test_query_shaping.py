"""Queries that sort, reshape or group their rows."""

from __future__ import annotations

import pytest

import loom_async as lm
from loom_async import AggregationStages, fld
from tests.aio.shop import Archived, Total, User, names, people

pytestmark = pytest.mark.usefixtures("db")


async def test_sort() -> None:
    await people()
    assert await names(User.filter().sort("-age", "name")) == ["Dan", "Ann", "Cid", "Bea"]
    assert await names(User.filter().sort("age").sort("-name")) == ["Bea", "Cid", "Ann", "Dan"]
    assert await names(User.filter().sort("age", "name", descending=True)) == [
        "Dan", "Cid", "Ann", "Bea",
    ]  # fmt: skip
    assert await names(User.filter().sort("name").skip(1).limit(2)) == ["Bea", "Cid"]


async def test_sample() -> None:
    users = await people()
    assert len(await User.filter().sample(2).load_many()) == 2
    sampled = await User.filter().sample(9).sort("name").load_many()
    assert sampled == users
    assert await User.filter(fld["age"] == 30).sample(9).filter(fld["name"] == "Bea").count() == 0


async def test_project() -> None:
    await people()
    ann = User.filter(fld["name"] == "Ann")
    assert await ann.project("name", "-id").load_many() == [{"name": "Ann"}]
    assert await ann.project("-id", old={"$gt": ["$age", 25]}, n=fld["name"]).load_many() == [
        {"old": True, "n": "Ann"}
    ]


async def test_add_fields() -> None:
    await people()
    rows = (
        await User.filter()
        .add_fields(double={"$multiply": ["$age", 2]})
        .sort("-double")
        .load_many()
    )
    assert [row["double"] for row in rows] == [80, 60, 60, 40]
    kept = User.filter().add_fields(key=fld["id"]).filter(fld["key"].is_exists())
    assert await kept.count() == 4


async def test_lookup() -> None:
    users = await people()
    await Archived(id=users[0].id, name="x").persist()
    query = User.filter().sort("name").lookup(Archived, as_="old")
    rows = await query.load_many()
    assert [len(row["old"]) for row in rows] == [1, 0, 0, 0]
    stages = AggregationStages().match(fld["name"] == "y")
    assert (await User.filter().sort("name").lookup(Archived, pipeline=stages).load_many())[0][
        "archive"
    ] == []


async def test_group_by() -> None:
    await people()
    groups = User.filter().group_by("address.city").acc(n=lm.count(), old=fld["age"].max())
    assert await groups.sort("-n", "_id").load_many() == [
        {"_id": "Prague", "n": 2, "old": 30},
        {"_id": None, "n": 1, "old": 40},
        {"_id": "Brno", "n": 1, "old": 20},
    ]
    (whole,) = await User.filter().group_by().acc(avg=fld["age"].avg(), n={"$sum": 1}).load_many()
    assert whole == {"_id": None, "avg": 30.0, "n": 4}
    assert await groups.filter(fld["n"] > 1).count() == 1


async def test_aggregation_gives_dicts_and_into_gives_objects() -> None:
    await people()
    stages = AggregationStages().group({"_id": "$address.city"}, n={"$sum": 1}).sort("-n", "_id")
    assert await User.agg(stages).load_one() == {"_id": "Prague", "n": 2}
    totals = User.agg(stages).into(Total)
    assert await totals.load_many() == [
        Total(_id="Prague", n=2), Total(_id=None, n=1), Total(_id="Brno", n=1),
    ]  # fmt: skip
    assert await totals.filter(fld["n"] > 1).load_one() == Total(_id="Prague", n=2)
    assert [row async for row in totals.limit(1).stream()] == [Total(_id="Prague", n=2)]
    assert await totals.filter(fld["n"] > 9).load_one() is None
    with pytest.raises(lm.InvalidDocument):
        await User.agg(stages.unset("n")).into(Total).load_many()


async def test_aggregation_into_a_persistable_model() -> None:
    users = await people()
    (ann,) = await User.filter(fld["name"] == "Ann").project("name").into(Archived).load_many()
    assert (ann.id, ann.name) == (users[0].id, "Ann")
    await ann.persist()
    assert await Archived.filter().count() == 1
