"""Bulk writes that end in the middle: an entry for each document that was not written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure

import loom_async as lm
from tests.worlds.partly_done import DATABASE, Client, fail, killed_in_the_middle

COUNT = 5_000
_MEGABYTE = 1_000_000
#: Behind 48 MB of others, the most that one message to the server holds.
_LARGE = 50


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
    found = client[DATABASE][model.collection].find({}, {"count": 1, "log": 1})
    return {one["_id"]: (one["count"], len(one["log"])) async for one in found}


async def attempt(documents: Sequence[Any], **options: Any) -> lm.LoomError | None:
    try:
        await type(documents[0]).persist_many(documents, **options)
    except lm.LoomError as error:
        return error
    return None


async def check(client: Client, documents: Sequence[Any], error: lm.LoomError | None) -> None:
    """Compare what was written with the entries of the error, then write the rest.

    No error is as good: the command was sent once more, and all is written.
    """
    there = await stored(client, type(documents[0]))
    missing = {n for n, document in enumerate(documents) if there.get(document.id) != (1, 1)}
    if missing or error is not None:
        assert isinstance(error, lm.BulkError), f"{len(missing)} were not written: {error!r}"
        assert {entry.index for entry in error.entries} == missing
        assert len(error.entries) == len(missing)
        assert all(entry.reason for entry in error.entries)
        assert {entry.id for entry in error.entries} == {documents[n].id for n in missing}
        assert error.inserted + error.updated == len(documents) - len(missing)
    await check_again(client, documents)


async def check_again(client: Client, documents: Sequence[Any]) -> None:
    """Write all once more: every counter is exactly one, every object is there once."""
    assert await attempt(documents) is None
    there = await stored(client, type(documents[0]))
    assert there == {document.id: (1, 1) for document in documents}
    assert [d for d in documents if (d.count, d.log) != (1, ["new"])] == []
    assert (await type(documents[0]).persist_many(documents)).unchanged == len(documents)


@pytest.mark.parametrize("model", [Tally, Counted])
async def test_updates_are_killed(failing: Client, model: Any) -> None:
    documents = await changed_objects(model)
    error = await killed_in_the_middle(failing, "update", attempt(documents))
    await check(failing, documents, error)


@pytest.mark.parametrize("model", [Tally, Counted])
async def test_insertions_are_killed(failing: Client, model: Any) -> None:
    documents = new_objects(model)
    error = await killed_in_the_middle(failing, "insert", attempt(documents))
    await check(failing, documents, error)


async def test_more_than_one_command_holds(failing: Client) -> None:
    """Documents that come after those of a command that was ended are written."""
    documents = await changed_objects(Tally, 12_000)
    error = await killed_in_the_middle(failing, "update", attempt(documents), 7_000)
    await check(failing, documents, error)


_FAILURES = [
    {"errorCode": 11601},  # interrupted
    {"errorCode": 50},  # its time is over
    {"errorCode": 24},  # a lock was not given in time
    {"errorCode": 10107},  # no primary any more
    {"closeConnection": True},
]


@pytest.mark.parametrize("failure", _FAILURES)
@pytest.mark.parametrize("command", ["update", "insert"])
async def test_a_command_fails_once(failing: Client, command: str, failure: dict[str, Any]) -> None:
    documents = new_objects(Tally) if command == "insert" else await changed_objects(Tally)
    await fail(failing, command, failure, 1)
    await check(failing, documents, await attempt(documents))


@pytest.mark.parametrize("command", ["update", "insert"])
async def test_no_command_is_answered(failing: Client, command: str) -> None:
    """The outcome may be unknown as a whole; written once more, it is exact all the same."""
    # Each object asks for its own write afterwards: fewer of them.
    is_new = command == "insert"
    documents = new_objects(Tally, 1_000) if is_new else await changed_objects(Tally, 1_000)
    await fail(failing, command, {"closeConnection": True}, 1_000)
    error = await attempt(documents)
    assert isinstance(error, lm.BulkError | lm.ConnectionFailed)
    await failing.admin.command("configureFailPoint", "failCommand", mode="off")
    await check_again(failing, documents)


@pytest.mark.parametrize("command", ["update", "insert"])
async def test_too_few_members_confirm(failing: Client, command: str) -> None:
    """All is written: what is reported is not that a document was not."""
    documents = new_objects(Tally) if command == "insert" else await changed_objects(Tally)
    await fail(failing, command, {"writeConcernError": {"code": 64, "errmsg": "few"}}, 1)
    error = await attempt(documents)
    assert error is None or not isinstance(error, lm.BulkError) or not error.entries
    await check_again(failing, documents)


@pytest.mark.parametrize("code", [24, 112, 9001])
async def test_any_error_in_the_middle(
    failing: Client, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a command of many statements, an error of any code leaves some of them done."""
    documents = [Tally() for _ in range(20)]
    await Tally.persist_many(documents)
    for document in documents:
        document.count += 1
        document.log.append("new")
    run, is_first = AsyncDatabase.command, True

    async def half(database: Any, command: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal is_first
        if is_first and "updates" in command:
            is_first = False
            part = {**command, "updates": command["updates"][:7]}
            await run(database, part, *arguments, **options)
            raise OperationFailure("it stopped in the middle", code)
        return await run(database, command, *arguments, **options)

    monkeypatch.setattr(AsyncDatabase, "command", half)
    error = await attempt(documents)
    assert isinstance(error, lm.BulkError), repr(error)
    assert [entry.index for entry in error.entries] == list(range(7, 20))
    await check_again(failing, documents)


def grow(documents: Sequence[Tally]) -> None:
    for number, document in enumerate(documents):
        document.count += 1
        document.log.append("new")
        size = 17 if number == _LARGE else 1
        document.content = bytes(size * _MEGABYTE)


@pytest.mark.parametrize("is_new", [True, False])
async def test_one_is_too_large(failing: Client, is_new: bool) -> None:
    """The server takes 16 MB: that one is refused, and all others are written."""
    documents = [Tally() for _ in range(_LARGE + 10)]
    if not is_new:
        await Tally.persist_many(documents)
    grow(documents)
    error = await attempt(documents)
    assert isinstance(error, lm.BulkError), repr(error)[:1_000]
    assert [entry.index for entry in error.entries] == [_LARGE]
    documents[_LARGE].content = b"small"
    if is_new:
        await check(failing, [d for d in documents if d is not documents[_LARGE]], None)
    await check_again(failing, documents)


@pytest.mark.parametrize("is_new", [True, False])
async def test_one_of_an_ordered_write_is_too_large(failing: Client, is_new: bool) -> None:
    """What comes before it is written, and nothing that comes after it."""
    documents = [Tally() for _ in range(_LARGE + 10)]
    if not is_new:
        await Tally.persist_many(documents)
    grow(documents)
    error = await attempt(documents, ordered=True)
    assert isinstance(error, lm.BulkError), repr(error)[:1_000]
    assert error.entries[0].index == _LARGE
    there = await stored(failing, Tally)
    written = [there.get(document.id) == (1, 1) for document in documents]
    assert written == [True] * _LARGE + [False] * 10
    documents[_LARGE].content = b"small"
    await check_again(failing, documents)
