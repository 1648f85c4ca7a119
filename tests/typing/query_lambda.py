"""The types that checkers infer for lambda conditions, whose argument is the model."""

from __future__ import annotations

from typing import Any, assert_type

from pydantic import BaseModel

import loom_async as lm


class Address(BaseModel):
    city: str


@lm.declare_persist_db("shop", "users")
class User(lm.Persistable):
    name: str
    age: int
    address: Address
    tags: list[str]
    active: bool = True


class Total(BaseModel):
    n: int


async def conditions() -> None:
    prague = User.filter(lambda u: (u.age > 25) & (u.address.city == "Prague"))
    assert_type(prague, lm.LoadDirective[User])
    assert_type(await prague.load_many(), list[User])
    assert_type(await prague.load_one(), User | None)
    User.filter(lambda u: lm.fld(u.name).contains("x") & (u.age > 3))
    User.filter(lambda u: (u.age > 3) | lm.fld(u.tags).has_size(3))
    User.filter(lambda u: u.active)
    User.filter(lambda u: u.name.startswith("A"))
    User.filter(lambda u: u.tags[0] == "a").filter(lambda u: u.age != 3)
    User.filter(lm.fld["age"] > 25, lm.fld["active"], lambda u: u.age < 60)
    User.filter((lm.fld["age"] > 25) & ~(lm.fld["name"] == "x") | lm.raw({}))


async def results() -> None:
    query = User.filter().sort("age", descending=True).skip(1).limit(10)
    assert_type(query, lm.LoadDirective[User])
    assert_type(query.sort(lambda u: -u.age), lm.LoadDirective[User])
    assert_type(query.sort(lambda u: (u.name, -u.age)), lm.LoadDirective[User])
    query.sort("age", "-name").sort(-lm.fld["age"], lm.fld["name"])
    query.sort([("age", -1), ("name", 1)]).sort({"age": -1}).sort(("age", -1))
    assert_type(await query.load_latest(), User | None)
    assert_type(await query.load_latest(3), list[User])
    assert_type(await query.load_docs(), list[dict[str, Any]])
    assert_type(await query.count(), int)
    assert_type(await query.exists(), bool)
    assert_type(await query.update(age=3), lm.UpdateCount)
    assert_type(await query.delete(), int)
    async for user in query.sample(3).stream():
        assert_type(user, User)
    async for document in query.load_aggregate():
        assert_type(document, dict[str, Any])


async def views() -> None:
    view = User.filter().into(Total).sort("age").limit(3)
    assert_type(view, lm.ViewQuery[Total])
    assert_type(await view.load_many(), list[Total])
    assert_type(await view.load_one(), Total | None)
    assert_type((await view.page(3)).items, list[Total])


async def aggregations() -> None:
    groups = User.filter().group_by("name").acc(n=lm.count(), oldest=lm.fld["age"].max())
    assert_type(await groups.load_many(), list[dict[str, Any]])
    assert_type(await groups.into(Total).load_many(), list[Total])
    assert_type(await groups.into(Total).limit(3).load_one(), Total | None)
    stages = lm.AggregationStages().match(lm.fld["age"] > 3).limit(1)
    assert_type(stages, lm.AggregationStages)
    assert_type(await User.agg(stages).load_many(), list[dict[str, Any]])
