# Generated from tests/aio/test_query_loading.py by `nox -s sync`: edit that file.
"""Queries that load objects or documents, and count them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from bson import ObjectId

import loom_sync as lm
from loom_sync import fld
from tests.sync.shop import User, names, people

pytestmark = pytest.mark.usefixtures("db")


def test_load_many_gives_loaded_objects() -> None:
    users = people()
    loaded = User.filter(fld["age"] >= 30).sort("name").load_many()
    assert loaded == [users[0], users[2], users[3]]
    assert loaded[0].persist() is False


def test_lambda_form() -> None:
    people()
    query = User.filter(lambda u: (u.age > 25) & (u.address.city == "Prague")).sort("name")  # type: ignore[union-attr]
    assert names(query) == ["Ann", "Cid"]
    assert names(User.filter(lambda u: lm.fld(u.name).contains("e") & (u.age < 25))) == ["Bea"]


def test_query_can_be_used_again() -> None:
    people()
    query = User.filter(fld["age"] == 30).sort("name")
    older = query.filter(fld["name"] > "B")
    assert names(query) == ["Ann", "Cid"]
    assert names(older) == ["Cid"]
    assert query.limit(1).count() == 1
    assert names(query) == ["Ann", "Cid"]


def test_load_one() -> None:
    users = people()
    assert User.filter().sort("-age").load_one() == users[3]
    assert User.filter().sort("name").skip(1).load_one() == users[1]
    assert User.filter(fld["age"] > 99).load_one() is None
    assert User.filter().limit(0).load_one() is None


def test_load_latest_is_the_newest() -> None:
    for name, age in (("Ann", 30), ("Bea", 20), ("Cid", 30), ("Dan", 10)):
        User(name=name, age=age).persist()
    newest = User.filter().load_latest()
    assert newest is not None
    assert newest.name == "Dan"
    assert [u.name for u in User.filter().load_latest(2)] == ["Dan", "Cid"]
    assert [u.name for u in User.filter(fld["age"] == 30).load_top(9)] == ["Cid", "Ann"]
    assert [u.name for u in User.filter().sort("age").load_latest(2)] == ["Dan", "Bea"]
    assert User.filter(fld["age"] > 99).load_latest() is None


def test_load_latest_of_a_limited_query_is_limited() -> None:
    people()
    assert len(User.filter().limit(1).load_latest(3)) == 1
    assert len(User.filter().limit(3).load_latest(1)) == 1


def test_load_docs_and_load_aggregate_give_what_is_stored() -> None:
    User(name="Ann", price=Decimal("1.5"), alias="x").persist()
    (doc,) = User.filter().load_docs()
    assert list(User.filter().load_aggregate()) == [doc]
    assert doc["storedAs"] == "x"
    assert str(doc["price"]) == "1.5"
    assert isinstance(doc["_id"], ObjectId)


def test_stream_gives_objects_one_after_another() -> None:
    users = people()
    assert list(User.filter().sort("name").stream()) == users
    assert list(User.filter().limit(0).stream()) == []
    for user in User.filter().sort("name").stream():
        assert user == users[0]
        break


def test_count_respects_skip_and_limit() -> None:
    people()
    everyone = User.filter()
    assert everyone.count() == 4
    assert everyone.skip(1).count() == 3
    assert everyone.skip(9).count() == 0
    assert everyone.limit(2).count() == 2
    assert everyone.skip(3).limit(2).count() == 1
    assert everyone.limit(0).count() == 0
    assert everyone.sample(3).count() == 3
    assert everyone.sample(3).limit(0).count() == 0
    assert everyone.group_by("age").acc().count() == 3
    assert User.filter(fld["age"] == 30).count() == 2


def test_limit_of_zero_returns_nothing() -> None:
    people()
    for query in (User.filter().limit(0), User.filter().sample(4).limit(0)):
        assert query.load_many() == []
        assert query.load_docs() == []
        assert query.exists() is False


def test_exists() -> None:
    people()
    assert User.filter(fld["age"] == 30).exists() is True
    assert User.filter(fld["age"] == 31).exists() is False
    assert User.filter().skip(4).exists() is False
    assert User.filter().group_by("age").acc().exists() is True


def test_distinct() -> None:
    people()
    assert sorted(User.filter().distinct("age")) == [20, 30, 40]
    assert sorted(User.filter().distinct("tags")) == ["a", "b"]
    assert sorted(User.filter().distinct(fld["address.city"])) == ["Brno", "Prague"]
    assert len(User.filter().distinct("id")) == 4
    assert User.filter(fld["age"] > 30).distinct("name") == ["Dan"]
    assert User.filter().distinct("price") == [Decimal(0)]
    assert sorted(User.filter().sort("age").limit(2).distinct("name")) == ["Ann", "Bea"]
    with pytest.raises(lm.UnknownFieldError):
        User.filter().distinct("agee")


def test_distinct_of_a_limited_query_is_that_of_its_results() -> None:
    User(name="x", born=None, meta={"a": [{"b": 1}, {"b": 2}]}).persist()
    everyone, limited = User.filter(), User.filter().limit(9)
    for path in ("born", "meta.a.b", "meta.a.0.b"):
        assert sorted(map(repr, limited.distinct(path))) == sorted(
            map(repr, everyone.distinct(path))
        )


def test_explain_shows_the_plan() -> None:
    people()
    plan = User.filter(fld["id"] == ObjectId()).sort("age").limit(3).explain()
    assert "queryPlanner" in plan
    stats = User.filter(fld["age"] == 30).explain("executionStats")
    assert stats["executionStats"]["nReturned"] == 2
    assert User.filter().group_by("age").acc().explain()
