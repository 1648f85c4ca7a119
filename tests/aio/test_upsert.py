"""Updates with upsert, and updates of elements of arrays, on a server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel, Field

import loom_async as lm
from loom_async import fld
from tests.commands import commands_of

pytestmark = pytest.mark.usefixtures("db")


class Line(BaseModel):
    sku: lm.StrLower
    count: int = 0


class Stats(BaseModel):
    seen: int = 0
    clicks: int = 7


@lm.declare_persist_db("shop", "visitors", index=[lm.Index("email", unique=True)])
class Visitor(lm.Persistable):
    email: lm.StrLower
    name: str = "new"
    visits: lm.IncrCounter = 0
    revision: lm.Revision
    lines: list[Line] = Field(default_factory=list)
    tags: list[lm.StrLower] = Field(default_factory=lambda: ["a"])
    stats: Stats = Stats()
    alias: str = Field(default="x", validation_alias="storedAs")


@lm.declare_persist_db("shop", "parts", discriminator="kind")
class Part(lm.PersistableBase):
    name: str
    price: int = 3


class Wheel(Part, tag="wheel"):
    size: int = 20


async def test_an_upsert_inserts_what_an_object_would_have() -> None:
    query = Visitor.filter(fld["email"] == "A@X")
    count = await query.update({"$inc": {"visits": 2, "stats.seen": 1}}, upsert=True)
    assert (count, count.matched, count.inserted) == (0, 0, 1)
    (stored,) = await Visitor.filter().load_docs()
    assert set(stored) == set(Visitor(email="a").dump_doc())
    found = await query.load_one()
    assert found is not None
    assert (found.email, found.visits, found.revision) == ("a@x", 2, 1)
    assert (found.stats, found.tags, found.alias) == (Stats(seen=1), ["a"], "x")
    assert found.created_at == found.updated_time
    assert await found.persist() is False


async def test_an_upsert_that_matches_updates_alone() -> None:
    user = Visitor(email="a@x", name="Ann", tags=[])
    await user.persist()
    count = await Visitor.filter(fld["email"] == "a@x").update({"visits": 5}, upsert=True)
    assert (count, count.matched, count.inserted) == (1, 1, 0)
    created = user.created_at
    await user.reload()
    assert (user.name, user.visits, user.tags, user.revision) == ("Ann", 5, [], 2)
    assert user.created_at == created


async def test_a_field_named_like_a_keyword_goes_into_the_dict() -> None:
    with pytest.raises(lm.UnknownFieldError):
        await Visitor.filter().update({"upsert": True, "array_filters": []})


async def test_an_upsert_without_a_required_field_sends_nothing(client: Any) -> None:
    with commands_of(client) as sent, pytest.raises(lm.QueryError, match="lack email"):
        await Visitor.filter(fld["name"] == "Ann").update(visits=3, upsert=True)
    assert sent == []


async def test_an_upsert_of_a_family_inserts_its_class() -> None:
    assert (await Wheel.filter(fld["name"] == "w").update(size=3, upsert=True)).inserted == 1
    assert (await Part.filter(fld["name"] == "p").update(price=3, upsert=True)).inserted == 1
    wheel, part = await Part.filter().sort("-name").load_many()
    assert type(wheel) is Wheel
    assert type(part) is Part
    assert (wheel.size, wheel.price, part.price) == (3, 3, 3)


async def test_upserts_in_a_transaction_are_taken_back() -> None:
    async def fail() -> None:
        async with lm.transaction():
            await Visitor.filter(fld["email"] == "a").update(visits=1, upsert=True)
            assert await Visitor.filter().count() == 1
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert await Visitor.filter().count() == 0


async def test_a_duplicate_of_another_field_is_an_error() -> None:
    await Visitor(email="a").persist()
    with pytest.raises(lm.DuplicateKey):
        await Visitor.filter(fld["name"] == "x").update(email="a", upsert=True)
    with pytest.raises(lm.DuplicateKey):
        await Visitor.filter((fld["email"] == "a") & (fld["visits"] > 3)).update(
            name="x", upsert=True
        )
    assert await Visitor.filter().count() == 1


async def with_lines() -> Visitor:
    lines = [Line(sku="a", count=1), Line(sku="b", count=5), Line(sku="c", count=9)]
    user = Visitor(email="a", lines=lines)
    await user.persist()
    return user


@pytest.mark.parametrize(
    ("values", "filters", "expected"),
    [
        ({"lines.$.count": 0}, [], [1, 0, 9]),
        ({"$inc": {"lines.$[].count": 1}}, [], [2, 6, 10]),
        ({"lines.$[x].count": 0}, [{"x.count": {"$gte": 5}}], [1, 0, 0]),
        ({"lines.$[x].count": 0}, [{"x.sku": {"$in": ["A", "C"]}}], [0, 5, 0]),
        ({"lines.$[x].count": 0}, [{"$or": [{"x.sku": "A"}, {"x.count": 9}]}], [0, 5, 0]),
        ({"$set": {"lines.$[x]": Line(sku="Z", count=3)}}, [{"x.sku": "B"}], [1, 3, 9]),
    ],
    ids=repr,
)
async def test_elements_of_arrays_are_updated(values: Any, filters: Any, expected: Any) -> None:
    user = await with_lines()
    query = Visitor.filter(fld["lines.sku"] == "B")
    assert await query.update(values, array_filters=filters) == 1
    await user.reload()
    assert [line.count for line in user.lines] == expected
    updated = await query.find_one_and_update(
        {"lines.$[y].count": 4}, array_filters=[{"y.sku": "C"}]
    )
    assert updated is None or updated.lines[2].count == 4


async def test_elements_without_fields() -> None:
    user = Visitor(email="a", tags=["a", "b"])
    await user.persist()
    await Visitor.filter().update({"tags.$[x]": "C"}, array_filters=[{"x": {"$ne": "A"}}])
    await user.reload()
    assert user.tags == ["a", "c"]


async def test_a_value_that_the_field_refuses_sends_nothing(client: Any) -> None:
    user = Visitor(email="a")
    await user.persist()
    with commands_of(client) as sent, pytest.raises(lm.QueryError, match="visits cannot be set"):
        await Visitor.filter().update(visits="many")
    with pytest.raises(lm.QueryError, match="visits cannot be set"):
        await Visitor.filter().find_one_and_update(visits="many")
    assert sent == []
    assert await Visitor.filter().update(stats="text", validate=False) == 1
    with pytest.raises(lm.InvalidDocument):
        await user.reload()


async def test_the_clock_of_an_upsert() -> None:
    later = datetime(2100, 1, 1, tzinfo=UTC)
    with lm.config_context(clock=lambda: later):
        await Visitor.filter(fld["email"] == "a").update(visits=1, upsert=True)
    found = await Visitor.filter().load_one()
    assert found is not None
    assert found.created_at == found.updated_time == later
