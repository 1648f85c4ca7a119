"""Change streams of queries: their conditions filter the changes."""

from __future__ import annotations

from typing import Any

import pytest

import loom_async as lm
from loom_async import fld
from tests.aio.shop import User
from tests.aio.watching import operations, taken


async def test_a_filter_leaves_out_the_changes_of_others(db: str) -> None:
    ann, bob = User(name="Ann", age=30, alias="x"), User(name="Bob", age=10, alias="x")
    adults = User.filter(fld["age"] >= 18, lambda u: u.alias == "x")
    async with adults.watch() as changes:
        await User.persist_many([ann, bob], ordered=True)
        bob.age = 20
        await bob.persist()
        await ann.delete()
        bob.name = "Bo"
        await bob.persist()
        first, second, third = await taken(changes, 3)
    assert (first.operation, first.document) == ("insert", ann)
    assert (second.operation, second.document) == ("update", bob)
    assert (third.operation, third.updated["name"]) == ("update", "Bo")


async def test_a_filter_of_ids_matches_deletions(db: str) -> None:
    ann, bob = User(name="Ann"), User(name="Bob")
    async with User.filter(fld["id"] == ann.id).watch() as changes:
        for user in (bob, ann):
            await user.persist()
            user.age = 1
            await user.persist()
            await user.delete()
        found = await taken(changes, 3)
    assert [change.operation for change in found] == ["insert", "update", "delete"]
    assert {change.id for change in found} == {ann.id}


async def test_a_deletion_has_no_fields_to_match(db: str) -> None:
    """A deletion has no document, so it does not match `name != "Ann"`."""
    ann, bob = User(name="Ann"), User(name="Bob")
    await User.persist_many([ann, bob])
    async with User.filter(fld["name"] != "Ann").watch() as changes:
        await ann.delete()
        await bob.delete()
        await User(name="Cid").persist()
        assert await operations(changes, 1) == [("insert", "Cid")]


async def test_expressions_read_the_document(db: str) -> None:
    older = lm.raw({"$expr": {"$gt": ["$age", {"$size": "$tags"}]}})
    async with User.filter(older | fld["name"].starts_with("Z")).watch() as changes:
        await User(name="Ann", age=1, tags=["a", "b"]).persist()
        await User(name="Bea", age=3, tags=["a", "b"]).persist()
        await User(name="Zoe", age=0).persist()
        assert [name for _, name in await operations(changes, 2)] == ["Bea", "Zoe"]


@pytest.mark.parametrize(
    "query",
    [
        User.filter().sort("name"),
        User.filter().limit(3),
        User.filter().sample(2),
        User.filter(lm.text("x")),
        User.filter(fld["place"].near((14.4, 50.1))),
    ],
)
async def test_queries_that_cannot_be_watched(query: Any) -> None:
    with pytest.raises(lm.QueryError, match="filter"):
        query.watch()
