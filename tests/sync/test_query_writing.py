# Generated from tests/aio/test_query_writing.py by `nox -s sync`: edit that file.
"""Queries that write: update, delete, merge_into and out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

import loom_sync as lm
from loom_sync import AggregationStages, fld
from tests.commands import commands_of
from tests.sync.shop import Address, Archived, Color, User, names, people

pytestmark = pytest.mark.usefixtures("db")


def test_update_by_mapping_and_by_keywords() -> None:
    people()
    assert User.filter(fld["age"] == 30).update({"address.city": "Brno"}, name="X") == 2
    assert User.filter(fld["address.city"] == "Brno").count() == 3
    count = User.filter(fld["name"] == "X").update(name="X", age=30)
    assert (count.matched, count.modified) == (2, 2)
    assert User.filter(fld["age"] > 99).update(age=1) == 0


def test_update_by_operators() -> None:
    (user, *_) = people()
    mine = User.filter(fld["id"] == user.id)
    mine.update({"$inc": {"age": 5}, "$push": {"tags": {"$each": ["c", "d"]}}})
    mine.update({"$pull": {"tags": "a"}, "$unset": {"address": ""}}, email="A@B")
    user.reload()
    assert (user.age, user.tags, user.address, user.email) == (35, ["b", "c", "d"], None, "a@b")


def test_update_refreshes_the_time_of_the_last_write() -> None:
    user = User(name="Ann")
    later = datetime(2100, 1, 1, tzinfo=UTC)
    user.persist()
    with lm.config_context(clock=lambda: later):
        User.filter().update(age=1)
    user.reload()
    assert user.updated_time == later
    assert user.created_at < later
    User.filter().update(updated_time=later - timedelta(days=1))
    user.reload()
    assert user.updated_time == later - timedelta(days=1)


def test_update_encodes_values() -> None:
    user = User(name="Ann")
    user.persist()
    User.filter().update(
        {"meta.x": {"$ne": None}},
        color=Color.BLUE, price=Decimal("2.50"), born=date(2020, 1, 1), alias="z",
        address=Address(city="Brno"),
    )  # fmt: skip
    user.reload()
    assert (user.color, user.price, user.born) == (Color.BLUE, Decimal("2.50"), date(2020, 1, 1))
    assert user.meta == {"x": {"$ne": None}}
    assert (user.alias, user.address) == ("z", Address(city="Brno"))


@pytest.mark.parametrize(
    "values",
    [{"agee": 1}, {"$inc": {"agee": 1}}, {"address.ciy": "x"}, {"$unset": {"agee": ""}}],
)
def test_update_of_an_unknown_field_is_refused(values: Any, client: Any) -> None:
    with commands_of(client) as sent, pytest.raises(lm.UnknownFieldError):
        User.filter().update(values)
    assert sent == []


@pytest.mark.parametrize(
    "values", [None, {}, {"$set": {}}, {"age": 1, "$inc": {"age": 1}}, {"$inc": 3}, {"id": 3}]
)
def test_invalid_updates_are_refused(values: Any) -> None:
    with pytest.raises(lm.QueryError):
        User.filter().update(values)


def test_delete() -> None:
    people()
    assert User.filter(fld["age"] == 30).delete() == 2
    assert User.filter(fld["age"] == 30).delete() == 0
    assert User.filter().delete() == 2
    assert User.filter().count() == 0


@pytest.mark.parametrize(
    "query",
    [
        User.filter().sort("age"),
        User.filter().skip(1),
        User.filter().limit(1),
        User.filter().limit(0),
        User.filter().sample(1),
    ],
    ids=repr,
)
def test_bulk_writes_take_filters_alone(query: Any) -> None:
    people()
    with pytest.raises(lm.QueryError):
        query.delete()
    with pytest.raises(lm.QueryError):
        query.update(age=1)
    assert User.filter(fld["age"] != 1).count() == 4


def test_merge_into_adds_and_changes() -> None:
    users = people()
    Archived(id=users[0].id, name="old").persist()
    User.filter().project("name").merge_into(Archived)
    assert sorted(names(Archived.filter())) == ["Ann", "Bea", "Cid", "Dan"]
    User.filter().project("age").merge_into("archive", when_matched="keepExisting")
    (
        User.filter()
        .project("name")
        .merge_into(
            Archived,
            when_matched=AggregationStages().set(name="$$new.age"),
            when_not_matched="discard",
        )
    )
    assert Archived.filter().count() == 4


def test_out_replaces() -> None:
    people()
    Archived(name="old").persist()
    User.filter(fld["age"] == 30).sort("name").project("name").out(Archived)
    assert sorted(names(Archived.filter())) == ["Ann", "Cid"]
