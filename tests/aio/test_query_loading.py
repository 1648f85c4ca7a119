"""Queries that load objects or documents, and count them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from bson import ObjectId

import loom_async as lm
from loom_async import fld
from tests.aio.shop import User, names, people

pytestmark = pytest.mark.usefixtures("db")


async def test_load_many_gives_loaded_objects() -> None:
    users = await people()
    loaded = await User.filter(fld["age"] >= 30).sort("name").load_many()
    assert loaded == [users[0], users[2], users[3]]
    assert await loaded[0].persist() is False


async def test_lambda_form() -> None:
    await people()
    query = User.filter(lambda u: (u.age > 25) & (u.address.city == "Prague")).sort("name")  # type: ignore[union-attr]
    assert await names(query) == ["Ann", "Cid"]
    assert await names(User.filter(lambda u: lm.fld(u.name).contains("e") & (u.age < 25))) == [
        "Bea"
    ]


async def test_query_can_be_used_again() -> None:
    await people()
    query = User.filter(fld["age"] == 30).sort("name")
    older = query.filter(fld["name"] > "B")
    assert await names(query) == ["Ann", "Cid"]
    assert await names(older) == ["Cid"]
    assert await query.limit(1).count() == 1
    assert await names(query) == ["Ann", "Cid"]


async def test_load_one() -> None:
    users = await people()
    assert await User.filter().sort("-age").load_one() == users[3]
    assert await User.filter().sort("name").skip(1).load_one() == users[1]
    assert await User.filter(fld["age"] > 99).load_one() is None
    assert await User.filter().limit(0).load_one() is None


async def test_load_latest_is_the_newest() -> None:
    for name, age in (("Ann", 30), ("Bea", 20), ("Cid", 30), ("Dan", 10)):
        await User(name=name, age=age).persist()
    newest = await User.filter().load_latest()
    assert newest is not None
    assert newest.name == "Dan"
    assert [u.name for u in await User.filter().load_latest(2)] == ["Dan", "Cid"]
    assert [u.name for u in await User.filter(fld["age"] == 30).load_top(9)] == ["Cid", "Ann"]
    assert [u.name for u in await User.filter().sort("age").load_latest(2)] == ["Dan", "Bea"]
    assert await User.filter(fld["age"] > 99).load_latest() is None


async def test_load_latest_of_a_limited_query_is_limited() -> None:
    await people()
    assert len(await User.filter().limit(1).load_latest(3)) == 1
    assert len(await User.filter().limit(3).load_latest(1)) == 1


async def test_load_docs_and_load_aggregate_give_what_is_stored() -> None:
    await User(name="Ann", price=Decimal("1.5"), alias="x").persist()
    (doc,) = await User.filter().load_docs()
    assert [row async for row in User.filter().load_aggregate()] == [doc]
    assert doc["storedAs"] == "x"
    assert str(doc["price"]) == "1.5"
    assert isinstance(doc["_id"], ObjectId)


async def test_stream_gives_objects_one_after_another() -> None:
    users = await people()
    assert [user async for user in User.filter().sort("name").stream()] == users
    assert [user async for user in User.filter().limit(0).stream()] == []
    async for user in User.filter().sort("name").stream():
        assert user == users[0]
        break


async def test_count_respects_skip_and_limit() -> None:
    await people()
    everyone = User.filter()
    assert await everyone.count() == 4
    assert await everyone.skip(1).count() == 3
    assert await everyone.skip(9).count() == 0
    assert await everyone.limit(2).count() == 2
    assert await everyone.skip(3).limit(2).count() == 1
    assert await everyone.limit(0).count() == 0
    assert await everyone.sample(3).count() == 3
    assert await everyone.sample(3).limit(0).count() == 0
    assert await everyone.group_by("age").acc().count() == 3
    assert await User.filter(fld["age"] == 30).count() == 2


async def test_limit_of_zero_returns_nothing() -> None:
    await people()
    for query in (User.filter().limit(0), User.filter().sample(4).limit(0)):
        assert await query.load_many() == []
        assert await query.load_docs() == []
        assert await query.exists() is False


async def test_exists() -> None:
    await people()
    assert await User.filter(fld["age"] == 30).exists() is True
    assert await User.filter(fld["age"] == 31).exists() is False
    assert await User.filter().skip(4).exists() is False
    assert await User.filter().group_by("age").acc().exists() is True


async def test_distinct() -> None:
    await people()
    assert sorted(await User.filter().distinct("age")) == [20, 30, 40]
    assert sorted(await User.filter().distinct("tags")) == ["a", "b"]
    assert sorted(await User.filter().distinct(fld["address.city"])) == ["Brno", "Prague"]
    assert len(await User.filter().distinct("id")) == 4
    assert await User.filter(fld["age"] > 30).distinct("name") == ["Dan"]
    assert await User.filter().distinct("price") == [Decimal(0)]
    assert sorted(await User.filter().sort("age").limit(2).distinct("name")) == ["Ann", "Bea"]
    with pytest.raises(lm.UnknownFieldError):
        await User.filter().distinct("agee")


async def test_distinct_of_a_limited_query_is_that_of_its_results() -> None:
    await User(name="x", born=None, meta={"a": [{"b": 1}, {"b": 2}]}).persist()
    everyone, limited = User.filter(), User.filter().limit(9)
    for path in ("born", "meta.a.b", "meta.a.0.b"):
        assert sorted(map(repr, await limited.distinct(path))) == sorted(
            map(repr, await everyone.distinct(path))
        )


async def test_explain_shows_the_plan() -> None:
    await people()
    plan = await User.filter(fld["id"] == ObjectId()).sort("age").limit(3).explain()
    assert "queryPlanner" in plan
    stats = await User.filter(fld["age"] == 30).explain("executionStats")
    assert stats["executionStats"]["nReturned"] == 2
    assert await User.filter().group_by("age").acc().explain()
