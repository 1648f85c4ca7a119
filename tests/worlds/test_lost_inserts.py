"""Insertions with an unknown outcome: the object is stored once, whatever calls follow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

import loom_async as lm
from tests.worlds.lost_replies import (
    LOSSES,
    Call,
    Connection,
    Loss,
    connected,
    cut_before_reply,
    open_connection,
    options_for,
    wait_until_reachable,
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
_EDITABLE = [Plain, Counted, Keyed, Unique]
_LEDGERS = [Entry, Measurement]


def save_call(document: Any, *, many: bool) -> Call:
    return (lambda: type(document).persist_many([document])) if many else document.persist


@pytest.fixture
async def connection(mongo_uri: str) -> AsyncIterator[Connection]:
    async with open_connection(mongo_uri, DATABASE) as opened:
        yield opened


def create(models: Iterable[Any]) -> list[Any]:
    return [model() for model in models]


async def lose_inserts(
    connection: Connection, loss: Loss, documents: Sequence[Any], *, many: bool
) -> None:
    """Insert objects in such a way that the outcomes are unknown."""
    collections = [
        connection.direct[DATABASE][COLLECTIONS[type(document)]] for document in documents
    ]

    async def are_stored() -> bool:
        return all([await raw.count_documents({}) > 0 for raw in collections])

    await loss(
        connection.proxy, [save_call(document, many=many) for document in documents], are_stored
    )
    await wait_until_reachable()


async def save_again(
    connection: Connection, documents: Sequence[Any], expected: Any, *, many: bool
) -> str:
    """Store objects again; describe wrong outcomes."""
    found: list[str] = []
    for document in documents:
        model = type(document)
        try:
            await save_call(document, many=many)()
        except lm.LoomError as error:
            found.append(f"{model.__name__}: {error!r}")
        if (found_documents := await stored(connection, model)) != expected:
            found.append(f"{model.__name__}: {found_documents}")
    return "\n".join(found)


async def stored(connection: Connection, model: Any) -> list[tuple[str, int]]:
    found = connection.direct[DATABASE][COLLECTIONS[model]].find()
    return [(document["name"], document["count"]) async for document in found]


@asynccontextmanager
async def connect(connection: Connection, **options: Any) -> AsyncIterator[None]:
    """Connect through the proxy and create all collections."""
    async with connected(connection, len(COLLECTIONS), **options):
        for model in COLLECTIONS:
            await model.create_collection()
        yield


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("many", [False, True])
async def test_a_new_object_is_stored_once(connection: Connection, loss: Loss, many: bool) -> None:
    async with connect(connection, **options_for(loss)):
        documents = create(COLLECTIONS)
        await lose_inserts(connection, loss, documents, many=many)
        wrong = await save_again(connection, documents, [("new", 1)], many=many)
        assert not wrong, wrong


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("many", [False, True])
async def test_later_edits_are_stored(connection: Connection, loss: Loss, many: bool) -> None:
    async with connect(connection, **options_for(loss)):
        documents = create(_EDITABLE)
        await lose_inserts(connection, loss, documents, many=many)
        for document in documents:
            document.name = "newer"
            document.count += 1
        wrong = await save_again(connection, documents, [("newer", 2)], many=many)
        assert not wrong, wrong
        for document in documents:
            held = document.model_copy(deep=True)
            assert await document.reload() == held


@pytest.mark.parametrize("many", [False, True])
async def test_a_second_attempt_without_a_server(connection: Connection, many: bool) -> None:
    """A second attempt that reaches no server does not change the outcome of the first."""
    async with connect(connection):
        documents = create(COLLECTIONS)
        await lose_inserts(connection, cut_before_reply, documents, many=many)
        connection.proxy.cut()
        calls = [save_call(document, many=many)() for document in documents]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        unknown = (lm.ConnectionFailed, lm.OutcomeUnknown, lm.BulkError)
        assert [outcome for outcome in outcomes if not isinstance(outcome, unknown)] == []
        connection.proxy.restore()
        await wait_until_reachable()
        wrong = await save_again(connection, documents, [("new", 1)], many=many)
        assert not wrong, wrong


async def test_a_second_ledger_entry_is_stored_once(connection: Connection) -> None:
    """Of an object that was stored before; persist returns, or raises OutcomeUnknown."""
    async with connect(connection):
        documents = create(_LEDGERS)
        for document in documents:
            await document.persist()
            document.name = "second"

        async def are_stored() -> bool:
            counts = [len(await stored(connection, model)) for model in _LEDGERS]
            return counts == [2] * len(_LEDGERS)

        await cut_before_reply(
            connection.proxy, [document.persist for document in documents], are_stored
        )
        await wait_until_reachable()
        for document in documents:
            with suppress(lm.OutcomeUnknown):
                await document.persist()
            assert sorted(await stored(connection, type(document))) == [("new", 1), ("second", 1)]
