"""A new object whose insertion is in doubt is stored once, whatever is tried afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

import loom_async as lm
from tests.worlds.losing import (
    WAYS,
    Call,
    Line,
    Way,
    connected,
    cut_off,
    line_to,
    options_for,
    reachable,
)

DATABASE = "worlds_lost_inserts"


class Named(lm.PersistableBase):
    name: str = "new"
    count: lm.IncrCounter = 1


@lm.declare_persist_db("worlds", "plain_inserts")
class Plain(Named):
    pass


@lm.declare_persist_db("worlds", "counted_inserts")
class Counted(Named):
    revision: lm.Revision = 0


@lm.declare_persist_db("worlds", "keyed_inserts")
class Keyed(Named):
    id: int = 7


@lm.declare_persist_db("worlds", "unique_inserts", index=[lm.Index("name", unique=True)])
class Unique(Named):
    pass


@lm.declare_persist_db("worlds", "entries")
class Entry(lm.LedgerModel):
    name: str = "new"
    count: int = 1


@lm.declare_persist_db("worlds", "measurements")
@lm.declare_timeseries(metakey="name", granularity="seconds")
class Measurement(lm.TimeSeriesLedgerModel):
    name: str = "new"
    count: int = 1


COLLECTIONS: dict[Any, str] = {
    Plain: "plain_inserts",
    Counted: "counted_inserts",
    Keyed: "keyed_inserts",
    Unique: "unique_inserts",
    Entry: "entries",
    Measurement: "measurements",
}
_CHANGING = [Plain, Counted, Keyed, Unique]
_RECORDS = [Entry, Measurement]


def storing(document: Any, *, many: bool) -> Call:
    return (lambda: type(document).persist_many([document])) if many else document.persist


@pytest.fixture
async def line(mongo_uri: str) -> AsyncIterator[Line]:
    async with line_to(mongo_uri, DATABASE) as opened:
        yield opened


def made(models: Iterable[Any]) -> list[Any]:
    return [model() for model in models]


async def lost(line: Line, way: Way, documents: Sequence[Any], *, many: bool) -> None:
    """Insert an object of each model in such a way that nothing is known of them."""
    collections = [line.direct[DATABASE][COLLECTIONS[type(document)]] for document in documents]

    async def are_stored() -> bool:
        return all([await raw.count_documents({}) > 0 for raw in collections])

    await way(line.proxy, [storing(document, many=many) for document in documents], are_stored)
    await reachable()


async def problems(line: Line, documents: Sequence[Any], expected: Any, *, many: bool) -> str:
    """Store objects again, and return what is wrong with the outcomes."""
    found: list[str] = []
    for document in documents:
        model = type(document)
        try:
            await storing(document, many=many)()
        except lm.LoomError as error:
            found.append(f"{model.__name__}: {error!r}")
        if (there := await stored(line, model)) != expected:
            found.append(f"{model.__name__}: {there}")
    return "\n".join(found)


async def stored(line: Line, model: Any) -> list[tuple[str, int]]:
    found = line.direct[DATABASE][COLLECTIONS[model]].find()
    return [(document["name"], document["count"]) async for document in found]


@asynccontextmanager
async def ready(line: Line, **options: Any) -> AsyncIterator[None]:
    """Connect often enough, and have all collections there."""
    async with connected(line, len(COLLECTIONS), **options):
        for model in COLLECTIONS:
            await model.create_collection()
        yield


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("many", [False, True])
async def test_it_is_stored_once(line: Line, way: Way, many: bool) -> None:
    async with ready(line, **options_for(way)):
        documents = made(COLLECTIONS)
        await lost(line, way, documents, many=many)
        wrong = await problems(line, documents, [("new", 1)], many=many)
        assert not wrong, wrong


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("many", [False, True])
async def test_edits_after_it_are_stored(line: Line, way: Way, many: bool) -> None:
    async with ready(line, **options_for(way)):
        documents = made(_CHANGING)
        await lost(line, way, documents, many=many)
        for document in documents:
            document.name = "newer"
            document.count += 1
        wrong = await problems(line, documents, [("newer", 2)], many=many)
        assert not wrong, wrong
        for document in documents:
            held = document.model_copy(deep=True)
            assert await document.reload() == held


@pytest.mark.parametrize("many", [False, True])
async def test_there_is_no_server_for_a_while(line: Line, many: bool) -> None:
    """A second attempt that reaches no server changes nothing about the first."""
    async with ready(line):
        documents = made(COLLECTIONS)
        await lost(line, cut_off, documents, many=many)
        line.proxy.cut()
        calls = [storing(document, many=many)() for document in documents]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        unknown = (lm.ConnectionFailed, lm.OutcomeUnknown, lm.BulkError)
        assert [outcome for outcome in outcomes if not isinstance(outcome, unknown)] == []
        line.proxy.mend()
        await reachable()
        wrong = await problems(line, documents, [("new", 1)], many=many)
        assert not wrong, wrong


async def test_a_further_record_is_stored_once(line: Line) -> None:
    """Of an object that was recorded before; the last attempt says so, or that it cannot know."""
    async with ready(line):
        documents = made(_RECORDS)
        for document in documents:
            await document.persist()
            document.name = "second"

        async def are_stored() -> bool:
            counts = [len(await stored(line, model)) for model in _RECORDS]
            return counts == [2] * len(_RECORDS)

        await cut_off(line.proxy, [document.persist for document in documents], are_stored)
        await reachable()
        for document in documents:
            with suppress(lm.OutcomeUnknown):
                await document.persist()
            assert sorted(await stored(line, type(document))) == [("new", 1), ("second", 1)]
