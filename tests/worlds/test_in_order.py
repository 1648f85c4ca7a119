"""`persist_many(ordered=True)`: nothing is left out, doubled, or written behind a failure."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

import loom_async as lm
from tests.worlds.partly_done import DATABASE, Client, fail, killed_in_the_middle

_COUNT = 10


class Inner(BaseModel):
    x: int = 0


@lm.declare_persist_db(DATABASE, "lines")
class Line(lm.PersistableBase):
    collection: ClassVar = "lines"
    number: int = 0
    flag: int = 0
    count: lm.IncrCounter = 0
    log: list[str] = []
    inner: Inner = Inner()
    inners: dict[str, Inner] = {}


@pytest.fixture
async def lines(failing: Client) -> list[Line]:
    await Line.filter().delete()
    made = [Line(number=n, inners={"a.b": Inner()}) for n in range(_COUNT)]
    await Line.persist_many(made)
    return made


async def _stored(failing: Client, path: str) -> list[Any]:
    found = await failing[DATABASE]["lines"].find().sort("number").to_list()
    names = path.split("/")
    values: list[Any] = []
    for document in found:
        value: Any = document
        for name in names:
            value = None if value is None else value.get(name)
        values.append(value)
    return values


def _count(lines: list[Line]) -> None:
    """Change all: the first as another writer has done already, the others by counting."""
    lines[0].flag = 1
    for line in lines[1:]:
        line.count += 1
        line.log.append("new")


async def _one_has_nothing_to_change(failing: Client, lines: list[Line]) -> None:
    collection = failing[DATABASE]["lines"]
    await collection.update_one({"_id": lines[0].id}, {"$set": {"flag": 1}})
    _count(lines)


@pytest.mark.parametrize("ordered", [True, False])
async def test_a_kill_behind_an_update_without_effect(
    failing: Client, lines: list[Line], ordered: bool
) -> None:
    """The server does not remember such an update; what came after it is counted once."""
    await _one_has_nothing_to_change(failing, lines)
    saving = Line.persist_many(lines, ordered=ordered)
    outcome = await killed_in_the_middle(failing, "update", saving, 5)
    done = sum(await _stored(failing, "count"))
    if isinstance(outcome, lm.BulkError):
        assert outcome.updated == done + ordered  # of an unordered one that is not known
    else:  # the command was sent once more
        assert done == _COUNT - 1
    await Line.persist_many(lines, ordered=ordered)
    assert await _stored(failing, "count") == [0] + [1] * (_COUNT - 1)
    assert await _stored(failing, "log") == [[]] + [["new"]] * (_COUNT - 1)


async def test_what_had_no_effect_fails_when_it_is_sent_again(
    failing: Client, lines: list[Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reply is lost, and the document of the first update is deleted meanwhile."""
    from pymongo.asynchronous.database import AsyncDatabase
    from pymongo.errors import AutoReconnect

    await _one_has_nothing_to_change(failing, lines)
    run, is_first = AsyncDatabase.command, True

    async def lose(database: Any, command: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal is_first
        reply = await run(database, command, *arguments, **options)
        if is_first and "updates" in command:
            is_first = False
            await failing[DATABASE]["lines"].delete_one({"_id": lines[0].id})
            raise AutoReconnect("lost")
        return reply

    monkeypatch.setattr(AsyncDatabase, "command", lose)
    with pytest.raises(lm.BulkError) as caught:
        await Line.persist_many(lines, ordered=True)
    assert [entry.index for entry in caught.value.entries] == [0]
    assert caught.value.updated == _COUNT - 1
    await Line.persist_many(lines[1:], ordered=True)
    assert await _stored(failing, "count") == [1] * (_COUNT - 1)


async def test_what_an_update_changes_a_part_of_is_gone(failing: Client, lines: list[Line]) -> None:
    """That update is made anew, and those behind it follow."""
    collection = failing[DATABASE]["lines"]
    for place in (2, 3, 7):
        await collection.update_one({"_id": lines[place].id}, {"$unset": {"inner": 1}})
    for line in lines:
        line.inner.x = 7
    result = await Line.persist_many(lines, ordered=True)
    assert (result.updated, result.unchanged) == (_COUNT, 0)
    assert await _stored(failing, "inner/x") == [7] * _COUNT


async def test_updates_that_go_alone_stop_at_a_failure(failing: Client, lines: list[Line]) -> None:
    await failing[DATABASE]["lines"].delete_one({"_id": lines[1].id})
    for line in lines:
        line.inners["a.b"].x = 7
    with pytest.raises(lm.BulkError) as caught:
        await Line.persist_many(lines, ordered=True)
    assert (caught.value.updated, len(caught.value.entries)) == (1, 1)
    assert await _stored(failing, "inners/a.b/x") == [7] + [0] * (_COUNT - 2)


@pytest.mark.parametrize("is_new", [True, False])
async def test_what_is_settled_is_reported(
    failing: Client, lines: list[Line], is_new: bool
) -> None:
    """Writes of an earlier call that happen now are counted, and their hooks run."""
    if is_new:
        lines = [Line(number=n) for n in range(_COUNT, 2 * _COUNT)]
    else:
        _count(lines)
    await fail(failing, "insert" if is_new else "update", {"closeConnection": True}, 1_000)
    with lm.config_context(server_timeout=0.3), pytest.raises(lm.LoomError):
        await Line.persist_many(lines)
    await failing.admin.command("configureFailPoint", "failCommand", mode="off")
    told = await Line.persist_many(lines)
    expected = (_COUNT, 0, 0) if is_new else (0, _COUNT, 0)
    assert (told.inserted, told.updated, told.unchanged) == expected
