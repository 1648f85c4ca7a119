"""`persist_many(ordered=True)`: nothing is skipped, doubled, or written after a failure."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

import loom_async as lm
from tests.worlds.failing_server import DATABASE, Client, fail, kill_in_the_middle

_COUNT = 10


class Inner(BaseModel):
    x: int = 0


@lm.declare_persist_db(DATABASE, "rows")
class Row(lm.PersistableBase):
    collection: ClassVar = "rows"
    number: int = 0
    flag: int = 0
    count: lm.IncrCounter = 0
    log: list[str] = []
    inner: Inner = Inner()
    inners: dict[str, Inner] = {}


@pytest.fixture
async def rows(failing: Client) -> list[Row]:
    await Row.filter().delete()
    rows = [Row(number=n, inners={"a.b": Inner()}) for n in range(_COUNT)]
    await Row.persist_many(rows)
    return rows


async def _stored(failing: Client, path: str) -> list[Any]:
    found = await failing[DATABASE]["rows"].find().sort("number").to_list()
    names = path.split("/")
    values: list[Any] = []
    for document in found:
        value: Any = document
        for name in names:
            value = None if value is None else value.get(name)
        values.append(value)
    return values


def _edit(rows: list[Row]) -> None:
    """Set a flag of the first row, increment the counters of the others."""
    rows[0].flag = 1
    for row in rows[1:]:
        row.count += 1
        row.log.append("new")


async def _make_first_update_ineffective(failing: Client, rows: list[Row]) -> None:
    collection = failing[DATABASE]["rows"]
    await collection.update_one({"_id": rows[0].id}, {"$set": {"flag": 1}})
    _edit(rows)


@pytest.mark.parametrize("ordered", [True, False])
async def test_killed_command_after_an_update_without_effect(
    failing: Client, rows: list[Row], ordered: bool
) -> None:
    """The server does not remember such an update for retries; those after it count once."""
    await _make_first_update_ineffective(failing, rows)
    saving = Row.persist_many(rows, ordered=ordered)
    outcome = await kill_in_the_middle(failing, "update", saving, 5)
    counted = sum(await _stored(failing, "count"))
    if isinstance(outcome, lm.BulkError):
        assert outcome.updated == counted + ordered  # known only of an ordered bulk
    else:  # the command was retried
        assert counted == _COUNT - 1
    await Row.persist_many(rows, ordered=ordered)
    assert await _stored(failing, "count") == [0] + [1] * (_COUNT - 1)
    assert await _stored(failing, "log") == [[]] + [["new"]] * (_COUNT - 1)


async def test_update_without_effect_fails_when_it_is_retried(
    failing: Client, rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reply is lost, and the document of the first update is deleted before the retry."""
    from pymongo.asynchronous.database import AsyncDatabase
    from pymongo.errors import AutoReconnect

    await _make_first_update_ineffective(failing, rows)
    run, is_first = AsyncDatabase.command, True

    async def run_then_fail(database: Any, command: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal is_first
        reply = await run(database, command, *arguments, **options)
        if is_first and "updates" in command:
            is_first = False
            await failing[DATABASE]["rows"].delete_one({"_id": rows[0].id})
            raise AutoReconnect("lost")
        return reply

    monkeypatch.setattr(AsyncDatabase, "command", run_then_fail)
    with pytest.raises(lm.BulkError) as caught:
        await Row.persist_many(rows, ordered=True)
    assert [entry.index for entry in caught.value.entries] == [0]
    assert caught.value.updated == _COUNT - 1
    await Row.persist_many(rows[1:], ordered=True)
    assert await _stored(failing, "count") == [1] * (_COUNT - 1)


async def test_the_parent_of_an_updated_field_was_removed(failing: Client, rows: list[Row]) -> None:
    """The update is planned again, and those after it follow."""
    collection = failing[DATABASE]["rows"]
    for index in (2, 3, 7):
        await collection.update_one({"_id": rows[index].id}, {"$unset": {"inner": 1}})
    for row in rows:
        row.inner.x = 7
    result = await Row.persist_many(rows, ordered=True)
    assert (result.updated, result.unchanged) == (_COUNT, 0)
    assert await _stored(failing, "inner/x") == [7] * _COUNT


async def test_single_updates_stop_at_a_failure(failing: Client, rows: list[Row]) -> None:
    await failing[DATABASE]["rows"].delete_one({"_id": rows[1].id})
    for row in rows:
        row.inners["a.b"].x = 7
    with pytest.raises(lm.BulkError) as caught:
        await Row.persist_many(rows, ordered=True)
    assert (caught.value.updated, len(caught.value.entries)) == (1, 1)
    assert await _stored(failing, "inners/a.b/x") == [7] + [0] * (_COUNT - 2)


@pytest.mark.parametrize("is_new", [True, False])
async def test_settled_writes_are_counted(failing: Client, rows: list[Row], is_new: bool) -> None:
    """The result counts writes of an earlier call that are settled by this one."""
    if is_new:
        rows = [Row(number=n) for n in range(_COUNT, 2 * _COUNT)]
    else:
        _edit(rows)
    await fail(failing, "insert" if is_new else "update", {"closeConnection": True}, 1_000)
    with lm.config_context(server_timeout=0.3), pytest.raises(lm.LoomError):
        await Row.persist_many(rows)
    await failing.admin.command("configureFailPoint", "failCommand", mode="off")
    result = await Row.persist_many(rows)
    expected = (_COUNT, 0, 0) if is_new else (0, _COUNT, 0)
    assert (result.inserted, result.updated, result.unchanged) == expected
