# Generated from tests/aio/test_watch_conditions.py by `nox -s sync`: edit that file.
"""Change streams of queries: their conditions filter the changes."""

from __future__ import annotations

from typing import Any

import pytest

import loom_sync as lm
from loom_sync import fld
from tests.sync.shop import User
from tests.sync.watching import operations, taken


def test_a_filter_leaves_out_the_changes_of_others(db: str) -> None:
    ann, bob = User(name="Ann", age=30, alias="x"), User(name="Bob", age=10, alias="x")
    adults = User.filter(fld["age"] >= 18, lambda u: u.alias == "x")
    with adults.watch() as changes:
        User.persist_many([ann, bob], ordered=True)
        bob.age = 20
        bob.persist()
        ann.delete()
        bob.name = "Bo"
        bob.persist()
        first, second, third = taken(changes, 3)
    assert (first.operation, first.document) == ("insert", ann)
    assert (second.operation, second.document) == ("update", bob)
    assert (third.operation, third.updated["name"]) == ("update", "Bo")


def test_a_filter_of_ids_matches_deletions(db: str) -> None:
    ann, bob = User(name="Ann"), User(name="Bob")
    with User.filter(fld["id"] == ann.id).watch() as changes:
        for user in (bob, ann):
            user.persist()
            user.age = 1
            user.persist()
            user.delete()
        found = taken(changes, 3)
    assert [change.operation for change in found] == ["insert", "update", "delete"]
    assert {change.id for change in found} == {ann.id}


def test_a_deletion_has_no_fields_to_match(db: str) -> None:
    """A deletion has no document, so it does not match `name != "Ann"`."""
    ann, bob = User(name="Ann"), User(name="Bob")
    User.persist_many([ann, bob])
    with User.filter(fld["name"] != "Ann").watch() as changes:
        ann.delete()
        bob.delete()
        User(name="Cid").persist()
        assert operations(changes, 1) == [("insert", "Cid")]


def test_expressions_read_the_document(db: str) -> None:
    older = lm.raw({"$expr": {"$gt": ["$age", {"$size": "$tags"}]}})
    with User.filter(older | fld["name"].starts_with("Z")).watch() as changes:
        User(name="Ann", age=1, tags=["a", "b"]).persist()
        User(name="Bea", age=3, tags=["a", "b"]).persist()
        User(name="Zoe", age=0).persist()
        assert [name for _, name in operations(changes, 2)] == ["Bea", "Zoe"]


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
def test_queries_that_cannot_be_watched(query: Any) -> None:
    with pytest.raises(lm.QueryError, match="filter"):
        query.watch()
