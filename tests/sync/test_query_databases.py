# Generated from tests/aio/test_query_databases.py by `nox -s sync`: edit that file.
"""Queries that write from one database into another."""

from __future__ import annotations

from typing import Any

import pytest

import loom_sync as lm
from loom_sync import fld


@lm.declare_persist_db("loom_query_source", "rows")
class Source(lm.PersistableBase):
    name: str


@lm.declare_persist_db("loom_query_target", "rows")
class Target(lm.PersistableBase):
    name: str


@pytest.fixture(autouse=True)
def databases(client: Any) -> Any:
    with lm.using(client=client):
        yield
    for name in ("loom_query_source", "loom_query_target"):
        client.drop_database(name)


def test_results_go_into_the_database_of_the_target_model() -> None:
    for name in ("x", "y"):
        Source(name=name).persist()
    Source.filter(fld["name"] == "x").out(Target)
    assert (Source.filter().count(), Target.filter().count()) == (2, 1)
    Source.filter().merge_into(Target)
    assert (Source.filter().count(), Target.filter().count()) == (2, 2)


def test_results_go_into_the_database_that_is_used() -> None:
    with lm.using(database="loom_query_source"):
        Source(name="x").persist()
        Source.filter().project("name").out("copies")
        Source.filter().project("name").merge_into("copies")
        assert Source.filter().lookup("copies").count() == 1


def test_iterators_use_the_context_of_the_call() -> None:
    """Wherever the iteration begins."""
    Source(name="x").persist()
    with lm.using(database="loom_query_target"):
        objects, documents = Source.filter().stream(), Source.filter().load_aggregate()
        rows = Source.filter().project("name").stream()
        Target(name="y").persist()
    assert [source.name for source in objects] == ["y"]
    assert [document["name"] for document in documents] == ["y"]
    assert [row["name"] for row in rows] == ["y"]
