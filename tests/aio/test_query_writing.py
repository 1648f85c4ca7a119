"""Queries that write: update, delete, merge_into and out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

import loom_async as lm
from loom_async import AggregationStages, fld
from tests.aio.shop import Address, Archived, Color, User, names, people
from tests.commands import commands_of

pytestmark = pytest.mark.usefixtures("db")


async def test_update_by_mapping_and_by_keywords() -> None:
    await people()
    assert await User.filter(fld["age"] == 30).update({"address.city": "Brno"}, name="X") == 2
    assert await User.filter(fld["address.city"] == "Brno").count() == 3
    count = await User.filter(fld["name"] == "X").update(name="X", age=30)
    assert (count.matched, count.modified) == (2, 2)
    assert await User.filter(fld["age"] > 99).update(age=1) == 0


async def test_update_by_operators() -> None:
    (user, *_) = await people()
    mine = User.filter(fld["id"] == user.id)
    await mine.update({"$inc": {"age": 5}, "$push": {"tags": {"$each": ["c", "d"]}}})
    await mine.update({"$pull": {"tags": "a"}, "$unset": {"address": ""}}, email="A@B")
    await user.reload()
    assert (user.age, user.tags, user.address, user.email) == (35, ["b", "c", "d"], None, "a@b")


async def test_update_refreshes_the_time_of_the_last_write() -> None:
    user = User(name="Ann")
    later = datetime(2100, 1, 1, tzinfo=UTC)
    await user.persist()
    with lm.config_context(clock=lambda: later):
        await User.filter().update(age=1)
    await user.reload()
    assert user.updated_time == later
    assert user.created_at < later
    await User.filter().update(updated_time=later - timedelta(days=1))
    await user.reload()
    assert user.updated_time == later - timedelta(days=1)


async def test_update_encodes_values() -> None:
    user = User(name="Ann")
    await user.persist()
    await User.filter().update(
        {"meta.x": {"$ne": None}},
        color=Color.BLUE, price=Decimal("2.50"), born=date(2020, 1, 1), alias="z",
        address=Address(city="Brno"),
    )  # fmt: skip
    await user.reload()
    assert (user.color, user.price, user.born) == (Color.BLUE, Decimal("2.50"), date(2020, 1, 1))
    assert user.meta == {"x": {"$ne": None}}
    assert (user.alias, user.address) == ("z", Address(city="Brno"))


@pytest.mark.parametrize(
    "values",
    [{"agee": 1}, {"$inc": {"agee": 1}}, {"address.ciy": "x"}, {"$unset": {"agee": ""}}],
)
async def test_update_of_an_unknown_field_is_refused(values: Any, client: Any) -> None:
    with commands_of(client) as sent, pytest.raises(lm.UnknownFieldError):
        await User.filter().update(values)
    assert sent == []


@pytest.mark.parametrize(
    "values", [None, {}, {"$set": {}}, {"age": 1, "$inc": {"age": 1}}, {"$inc": 3}, {"id": 3}]
)
async def test_invalid_updates_are_refused(values: Any) -> None:
    with pytest.raises(lm.QueryError):
        await User.filter().update(values)


async def test_delete() -> None:
    await people()
    assert await User.filter(fld["age"] == 30).delete() == 2
    assert await User.filter(fld["age"] == 30).delete() == 0
    assert await User.filter().delete() == 2
    assert await User.filter().count() == 0


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
async def test_bulk_writes_take_filters_alone(query: Any) -> None:
    await people()
    with pytest.raises(lm.QueryError):
        await query.delete()
    with pytest.raises(lm.QueryError):
        await query.update(age=1)
    assert await User.filter(fld["age"] != 1).count() == 4


async def test_merge_into_adds_and_changes() -> None:
    users = await people()
    await Archived(id=users[0].id, name="old").persist()
    await User.filter().project("name").merge_into(Archived)
    assert sorted(await names(Archived.filter())) == ["Ann", "Bea", "Cid", "Dan"]
    await User.filter().project("age").merge_into("archive", when_matched="keepExisting")
    await (
        User.filter()
        .project("name")
        .merge_into(
            Archived,
            when_matched=AggregationStages().set(name="$$new.age"),
            when_not_matched="discard",
        )
    )
    assert await Archived.filter().count() == 4


async def test_out_replaces() -> None:
    await people()
    await Archived(name="old").persist()
    await User.filter(fld["age"] == 30).sort("name").project("name").out(Archived)
    assert sorted(await names(Archived.filter())) == ["Ann", "Cid"]
