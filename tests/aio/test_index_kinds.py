"""Existing indexes of every kind are recognised, and only real differences are found."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, Field
from pymongo.collation import Collation

import loom_async as lm

pytestmark = pytest.mark.usefixtures("db")


class Address(BaseModel):
    city: str = ""
    tags: dict[str, str] = {}


def model_with(*indexes: lm.Index) -> type[lm.PersistableBase]:
    @lm.declare_persist_db("shop", "things", index=indexes)
    class Thing(lm.PersistableBase):
        name: str = ""
        bio: str = Field("", alias="about")
        n: int = 0
        at: lm.TimeInserted = None  # type: ignore[assignment]
        spot: Any = None
        address: Address = Address()
        code: lm.StrLower = ""

    return Thing


KINDS = {
    "plain": lm.Index("name", "-n"),
    "nested": lm.Index("address.city"),
    "unique": lm.Index("code", unique=True),
    "sparse": lm.Index("name", sparse=True),
    "hidden": lm.Index("name", hidden=True),
    "ttl": lm.Index("at", expire_after=3600),
    "ttl at once": lm.Index("at", expire_after=0),
    "ttl of a fraction": lm.Index("at", expire_after=2.5),
    "partial": lm.Index("name", partial={"n": {"$gt": 1}, "code": {"$exists": True}}),
    "text": lm.Index(("name", "text")),
    "text of several": lm.Index(("address.city", "text"), ("bio", "text"), ("name", "text")),
    "text among others": lm.Index("n", ("name", "text"), ("bio", "text"), "code"),
    "text with weights": lm.Index(("bio", "text"), ("name", "text"), weights={"bio": 5}),
    "text of a language": lm.Index(("name", "text"), default_language="none"),
    "text everywhere": lm.Index(("$**", "text")),
    "collation": lm.Index("name", collation={"locale": "en", "strength": 2}),
    "collation object": lm.Index("name", collation=Collation("en", numericOrdering=True)),
    "collation of a language": lm.Index("name", collation={"locale": "fr_CA"}),
    "simple collation": lm.Index("name", collation={"locale": "simple"}),
    "wildcard": lm.Index("$**"),
    "wildcard below": lm.Index("address.$**"),
    "wildcard with projection": lm.Index("$**", wildcardProjection={"n": 1, "address.city": 1}),
    "2d": lm.Index(("spot", "2d")),
    "2d with bits": lm.Index(("spot", "2d"), bits=20),
    "2dsphere": lm.Index(("spot", "2dsphere")),
    "hashed": lm.Index(("name", "hashed")),
    "id": lm.Index("id"),
    "id, named": lm.Index("id", name="by_id", unique=True),
    "id, with others": lm.Index("-id", "name"),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_second_run_finds_no_difference(kind: str) -> None:
    model = model_with(KINDS[kind])
    first = await model.sync_indexes()
    assert bool(first) == (kind not in ("id", "id, named"))
    assert not await model.sync_indexes()
    assert not await model.sync_indexes(drop=True)


async def test_a_collection_with_a_collation(client: Any, db: str) -> None:
    await client[db].create_collection("things", collation={"locale": "cs", "strength": 1})
    model = model_with(lm.Index("name"), lm.Index(("bio", "text"), collation={"locale": "simple"}))
    assert await model.sync_indexes()
    assert not await model.sync_indexes(drop=True)


async def test_several_indexes_over_the_same_keys() -> None:
    model = model_with(
        lm.Index("name", name="plain"),
        lm.Index("name", name="english", collation={"locale": "en"}),
        lm.Index("name", name="some", partial={"n": {"$gt": 1}}),
        lm.Index("name", name="others", partial={"n": {"$gt": 9}}),
    )
    assert len((await model.sync_indexes()).created) == 4
    assert not await model.sync_indexes(drop=True)


CHANGES = {
    "unique": (lm.Index("name"), lm.Index("name", unique=True), "unique: True is declared"),
    "ttl": (lm.Index("at"), lm.Index("at", expire_after=0), "0 is declared, nothing exists"),
    "partial": (
        lm.Index("name", partial={"n": 1}),
        lm.Index("name", partial={"n": 2}),
        "{'n': 2} is declared, {'n': 1} exists",
    ),
    "collation": (
        lm.Index("name", collation={"locale": "en", "strength": 1}),
        lm.Index("name", collation={"locale": "en"}),
        "collation",
    ),
    "hidden": (lm.Index("name", hidden=True), lm.Index("name"), "hidden: False is declared"),
    "wildcard": (
        lm.Index("$**", wildcardProjection={"n": 1}),
        lm.Index("$**"),
        "wildcardProjection: nothing is declared",
    ),
    "weights": (
        lm.Index(("name", "text"), weights={"name": 2}),
        lm.Index(("name", "text")),
        "weights",
    ),
    "text": (lm.Index(("bio", "text")), lm.Index(("name", "text")), "keys"),
    "keys": (lm.Index("n", name="x"), lm.Index("-n", name="x"), r"\(\('n', -1\),\) is declared"),
}


@pytest.mark.parametrize("kind", CHANGES)
async def test_a_change_is_found_explained_and_applied(kind: str) -> None:
    before, after, reason = CHANGES[kind]
    await model_with(before).sync_indexes()
    model = model_with(after)
    shown = await model.sync_indexes()
    (name,) = shown.conflicting
    assert shown == lm.IndexDifference(conflicting=(name,), reasons=shown.reasons)
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(shown.reasons[name])
    assert (await model.sync_indexes(drop=True)).replaced == (name,)
    assert not await model.sync_indexes()


async def test_the_index_on_ids_is_never_dropped(client: Any, db: str) -> None:
    await model_with().sync_indexes()
    await client[db].things.create_index("n")
    await model_with().sync_indexes(drop=True)
    assert list(await client[db].things.index_information()) == ["_id_"]
    for index in (lm.Index("id", sparse=True), lm.Index("name", name="_id_")):
        with pytest.raises(lm.OperationFailed, match="_id"):
            await model_with(index).sync_indexes(drop=True)
        assert list(await client[db].things.index_information()) == ["_id_"]
