"""Queries that write from one database into another."""

from __future__ import annotations

from typing import Any

import pytest

import loom_async as lm
from loom_async import fld


@lm.declare_persist_db("loom_query_source", "rows")
class Source(lm.PersistableBase):
    name: str


@lm.declare_persist_db("loom_query_target", "rows")
class Target(lm.PersistableBase):
    name: str


@pytest.fixture(autouse=True)
async def databases(client: Any) -> Any:
    with lm.using(client=client):
        yield
    for name in ("loom_query_source", "loom_query_target"):
        await client.drop_database(name)


async def test_results_go_into_the_database_of_the_target_model() -> None:
    for name in ("x", "y"):
        await Source(name=name).persist()
    await Source.filter(fld["name"] == "x").out(Target)
    assert (await Source.filter().count(), await Target.filter().count()) == (2, 1)
    await Source.filter().merge_into(Target)
    assert (await Source.filter().count(), await Target.filter().count()) == (2, 2)


async def test_results_go_into_the_database_that_is_used() -> None:
    with lm.using(database="loom_query_source"):
        await Source(name="x").persist()
        await Source.filter().project("name").out("copies")
        await Source.filter().project("name").merge_into("copies")
        assert await Source.filter().lookup("copies").count() == 1


async def test_iterators_use_the_context_of_the_call() -> None:
    """Wherever the iteration begins."""
    await Source(name="x").persist()
    with lm.using(database="loom_query_target"):
        objects, documents = Source.filter().stream(), Source.filter().load_aggregate()
        rows = Source.filter().project("name").stream()
        await Target(name="y").persist()
    assert [source.name async for source in objects] == ["y"]
    assert [document["name"] async for document in documents] == ["y"]
    assert [row["name"] async for row in rows] == ["y"]
