"""Bulk writes that end in the middle: the error has an entry for each unwritten document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure

import loom_async as lm
from tests.worlds.failing_server import DATABASE, Client, fail, kill_in_the_middle

COUNT = 5_000
_MEGABYTE = 1_000_000
#: The index of the document that is too large: after 48 MB of others, the most that one message
#: to the server holds.
_TOO_LARGE = 50


@lm.declare_persist_db("worlds", "tallies")
class Tally(lm.Persistable):
    collection: ClassVar = "tallies"
    count: lm.IncrCounter = 0
    log: list[str] = []
    content: bytes = b""


@lm.declare_persist_db("worlds", "counted_tallies")
class Counted(lm.PersistableBase):
    collection: ClassVar = "counted_tallies"
    count: lm.IncrCounter = 0
    log: list[str] = []
    revision: lm.Revision = 0


def new_objects(model: Any, count: int = COUNT) -> list[Any]:
    return [model(count=1, log=["new"]) for _ in range(count)]


async def changed_objects(model: Any, count: int = COUNT) -> list[Any]:
    documents = [model() for _ in range(count)]
    await model.persist_many(documents)
    for document in documents:
        document.count += 1
        document.log.append("new")
    return documents


async def stored(client: Client, model: Any) -> dict[Any, tuple[int, int]]:
    """Return the count and the items of each document."""
    documents = client[DATABASE][model.collection].find({}, {"count": 1, "log": 1})
    return {one["_id"]: (one["count"], len(one["log"])) async for one in documents}


async def persist_all(documents: Sequence[Any], **options: Any) -> lm.LoomError | None:
    try:
        await type(documents[0]).persist_many(documents, **options)
    except lm.LoomError as error:
        return error
    return None


async def check(client: Client, documents: Sequence[Any], error: lm.LoomError | None) -> None:
    """Compare what was written with the entries of the error, then write the rest.

    There is no error if a retry of the command has written everything.
    """
    found = await stored(client, type(documents[0]))
    missing = {n for n, document in enumerate(documents) if found.get(document.id) != (1, 1)}
    if missing or error is not None:
        assert isinstance(error, lm.BulkError), f"{len(missing)} were not written: {error!r}"
        assert {entry.index for entry in error.entries} == missing
        assert len(error.entries) == len(missing)
        assert all(entry.reason for entry in error.entries)
        assert {entry.id for entry in error.entries} == {documents[n].id for n in missing}
        assert error.inserted + error.updated == len(documents) - len(missing)
    await check_second_write(client, documents)


async def check_second_write(client: Client, documents: Sequence[Any]) -> None:
    """Write all once more: each object is stored once, with a counter of one."""
    assert await persist_all(documents) is None
    found = await stored(client, type(documents[0]))
    assert found == {document.id: (1, 1) for document in documents}
    assert [d for d in documents if (d.count, d.log) != (1, ["new"])] == []
    assert (await type(documents[0]).persist_many(documents)).unchanged == len(documents)


@pytest.mark.parametrize("model", [Tally, Counted])
async def test_killed_update_command(failing: Client, model: Any) -> None:
    documents = await changed_objects(model)
    error = await kill_in_the_middle(failing, "update", persist_all(documents))
    await check(failing, documents, error)


@pytest.mark.parametrize("model", [Tally, Counted])
async def test_killed_insert_command(failing: Client, model: Any) -> None:
    documents = new_objects(model)
    error = await kill_in_the_middle(failing, "insert", persist_all(documents))
    await check(failing, documents, error)


async def test_later_commands_are_sent_after_a_killed_one(failing: Client) -> None:
    """The documents of the commands after the killed one are written."""
    documents = await changed_objects(Tally, 12_000)
    error = await kill_in_the_middle(failing, "update", persist_all(documents), 7_000)
    await check(failing, documents, error)


_FAILURES = [
    {"errorCode": 11601},  # Interrupted
    {"errorCode": 50},  # MaxTimeMSExpired
    {"errorCode": 24},  # LockTimeout
    {"errorCode": 10107},  # NotWritablePrimary
    {"closeConnection": True},
]


@pytest.mark.parametrize("failure", _FAILURES)
@pytest.mark.parametrize("command", ["update", "insert"])
async def test_a_command_fails_once(failing: Client, command: str, failure: dict[str, Any]) -> None:
    documents = new_objects(Tally) if command == "insert" else await changed_objects(Tally)
    await fail(failing, command, failure, 1)
    await check(failing, documents, await persist_all(documents))


@pytest.mark.parametrize("command", ["update", "insert"])
async def test_connection_closes_on_every_command(failing: Client, command: str) -> None:
    """The outcome of the whole bulk may be unknown; the second write is still exact."""
    # Fewer objects, since each of them is settled by a command of its own afterwards.
    is_new = command == "insert"
    documents = new_objects(Tally, 1_000) if is_new else await changed_objects(Tally, 1_000)
    await fail(failing, command, {"closeConnection": True}, 1_000)
    error = await persist_all(documents)
    assert isinstance(error, lm.BulkError | lm.ConnectionFailed)
    await failing.admin.command("configureFailPoint", "failCommand", mode="off")
    await check_second_write(failing, documents)


@pytest.mark.parametrize("command", ["update", "insert"])
async def test_write_concern_error_is_not_an_entry(failing: Client, command: str) -> None:
    """Everything is written, so that no entry says that a document was not."""
    documents = new_objects(Tally) if command == "insert" else await changed_objects(Tally)
    await fail(failing, command, {"writeConcernError": {"code": 64, "errmsg": "few"}}, 1)
    error = await persist_all(documents)
    assert error is None or not isinstance(error, lm.BulkError) or not error.entries
    await check_second_write(failing, documents)


@pytest.mark.parametrize("code", [24, 112, 9001])
async def test_command_error_after_some_statements(
    failing: Client, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the error code of a command is, some of its statements may have been executed."""
    documents = [Tally() for _ in range(20)]
    await Tally.persist_many(documents)
    for document in documents:
        document.count += 1
        document.log.append("new")
    run, is_first = AsyncDatabase.command, True

    async def run_partly(database: Any, command: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal is_first
        if is_first and "updates" in command:
            is_first = False
            part = {**command, "updates": command["updates"][:7]}
            await run(database, part, *arguments, **options)
            raise OperationFailure("it stopped in the middle", code)
        return await run(database, command, *arguments, **options)

    monkeypatch.setattr(AsyncDatabase, "command", run_partly)
    error = await persist_all(documents)
    assert isinstance(error, lm.BulkError), repr(error)
    assert [entry.index for entry in error.entries] == list(range(7, 20))
    await check_second_write(failing, documents)


def enlarge(documents: Sequence[Tally]) -> None:
    for number, document in enumerate(documents):
        document.count += 1
        document.log.append("new")
        size = 17 if number == _TOO_LARGE else 1
        document.content = bytes(size * _MEGABYTE)


@pytest.mark.parametrize("is_new", [True, False])
async def test_only_the_document_that_is_too_large_fails(failing: Client, is_new: bool) -> None:
    """The server accepts documents of up to 16 MB; all others are written."""
    documents = [Tally() for _ in range(_TOO_LARGE + 10)]
    if not is_new:
        await Tally.persist_many(documents)
    enlarge(documents)
    error = await persist_all(documents)
    assert isinstance(error, lm.BulkError), repr(error)[:1_000]
    assert [entry.index for entry in error.entries] == [_TOO_LARGE]
    documents[_TOO_LARGE].content = b"small"
    if is_new:
        await check(failing, [d for d in documents if d is not documents[_TOO_LARGE]], None)
    await check_second_write(failing, documents)


@pytest.mark.parametrize("is_new", [True, False])
async def test_ordered_write_stops_at_a_large_document(failing: Client, is_new: bool) -> None:
    """The documents before it are written, those after it are not."""
    documents = [Tally() for _ in range(_TOO_LARGE + 10)]
    if not is_new:
        await Tally.persist_many(documents)
    enlarge(documents)
    error = await persist_all(documents, ordered=True)
    assert isinstance(error, lm.BulkError), repr(error)[:1_000]
    assert error.entries[0].index == _TOO_LARGE
    found = await stored(failing, Tally)
    written = [found.get(document.id) == (1, 1) for document in documents]
    assert written == [True] * _TOO_LARGE + [False] * 10
    documents[_TOO_LARGE].content = b"small"
    await check_second_write(failing, documents)
