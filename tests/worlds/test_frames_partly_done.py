"""Frames whose commands end in the middle, or whose replies are lost: what became of each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pandas as pd
import pytest
from bson import ObjectId

import loom_async as lm
from tests.worlds.partly_done import DATABASE, Client, fail, killed_in_the_middle

_ROWS = 5_000


@lm.declare_persist_db(DATABASE, "readings")
class Reading(lm.PersistableBase):
    collection: ClassVar = "readings"
    number: int
    value: int = 0
    revision: lm.Revision = 0


def _frame(ids: Sequence[ObjectId] | None = None) -> pd.DataFrame:
    columns: dict[str, Any] = {"number": range(_ROWS), "value": [7] * _ROWS}
    return pd.DataFrame(columns if ids is None else {"id": ids, **columns})


async def _stored(client: Client) -> dict[int, tuple[int, int]]:
    """Return the value and the revision by number; each number is there once."""
    found = await client[DATABASE]["readings"].find().to_list()
    assert len({one["number"] for one in found}) == len(found)
    return {one["number"]: (one["value"], one["revision"]) for one in found}


def _rows(written: Sequence[range]) -> set[int]:
    return {row for rows in written for row in rows}


@pytest.fixture(params=["update by id", "insert"])
async def ids(failing: Client, request: pytest.FixtureRequest) -> list[ObjectId] | None:
    """The ids of documents that are there, if they are updated; None if new ones are made."""
    await Reading.filter().delete()
    if request.param == "insert":
        return None
    documents = [Reading(number=n) for n in range(_ROWS)]
    await Reading.persist_many(documents)
    return [document.id for document in documents]


async def _send(ids: list[ObjectId] | None, on_error: Any) -> Any:
    if ids is None:
        return await Reading.insert_dataframe(_frame(), on_error=on_error)
    return await Reading.update_dataframe(_frame(ids), on=["id"], on_error=on_error)


def _done(there: dict[int, tuple[int, int]]) -> set[int]:
    return {number for number, (value, _) in there.items() if value == 7}


async def _killed(failing: Client, ids: list[ObjectId] | None, on_error: Any) -> Any:
    command = "insert" if ids is None else "update"
    return await killed_in_the_middle(failing, command, _send(ids, on_error))


async def test_a_command_is_killed(failing: Client, ids: list[ObjectId] | None) -> None:
    """The error names the rows that were not written, and `written` those that were."""
    error = await _killed(failing, ids, "raise")
    done = _done(await _stored(failing))
    assert isinstance(error, lm.FrameError), error
    assert 0 < len(done) < _ROWS
    assert _rows(error.written) == done
    # In order, the first that fails is the last that is tried.
    assert {e.row for e in error.errors} <= set(range(_ROWS)) - done


async def test_a_command_is_killed_and_rows_are_left_out(
    failing: Client, ids: list[ObjectId] | None
) -> None:
    result = await _killed(failing, ids, "skip")
    done = _done(await _stored(failing))
    assert 0 < len(done) < _ROWS
    assert {error.row for error in result.errors} == set(range(_ROWS)) - done
    if ids is None:
        assert result.inserted == len(done)
        assert {row for row, id in enumerate(result.ids) if id is not None} == done
    else:
        assert (result.matched, result.modified, result.inserted) == (len(done), len(done), 0)


@pytest.mark.parametrize("times", [1, 3])
async def test_a_connection_breaks(failing: Client, ids: list[ObjectId] | None, times: int) -> None:
    """The command is sent until there is a reply, and each row is written once."""
    command = "insert" if ids is None else "update"
    await fail(failing, command, {"closeConnection": True}, times)
    result = await _send(ids, "raise")
    revision = 0 if ids is None else 1
    assert await _stored(failing) == dict.fromkeys(range(_ROWS), (7, revision))
    assert (result.inserted if ids is None else result.modified) == _ROWS


async def test_there_is_no_reply(failing: Client, ids: list[ObjectId] | None) -> None:
    command = "insert" if ids is None else "update"
    await fail(failing, command, {"closeConnection": True}, 1_000_000)
    with pytest.raises(lm.ConnectionFailed) as caught:
        await _send(ids, "raise")
    assert caught.value.__notes__ == [
        "Nothing was written; rows 0 to 4999 were being sent, and some may be written"
    ]


async def test_rows_of_many_documents_are_not_sent_twice(failing: Client) -> None:
    """The server remembers no update of many documents: it is sent once."""
    await Reading.filter().delete()
    await Reading.persist_many([Reading(number=n % 10) for n in range(100)])
    await fail(failing, "update", {"closeConnection": True}, 1)
    frame = pd.DataFrame({"number": range(10), "value": 7})
    with pytest.raises(lm.LoomError) as caught:
        await Reading.update_dataframe(frame, on=["number"])
    assert "may be written" in caught.value.__notes__[0]
    result = await Reading.update_dataframe(frame, on=["number"])
    assert (result.matched, result.modified) == (100, 100)


async def test_more_than_one_command_holds(failing: Client) -> None:
    """Large rows of one chunk go in several commands, and keep their places."""
    await Reading.filter().delete()
    big = pd.DataFrame({"number": range(40), "text": ["x" * 1_000_000] * 40, "value": 7})
    big.loc[3, "number"] = None
    result = await Large.insert_dataframe(big, on_error="skip")
    assert [error.row for error in result.errors] == [3]
    assert [row for row, id in enumerate(result.ids) if id is None] == [3]
    assert result.inserted == 39
    by_id = {one.id: one.number for one in await Large.filter().load_many()}
    assert [by_id.get(id) for id in result.ids] == [n if n != 3 else None for n in range(40)]
    frame = pd.DataFrame({"id": list(by_id), "text": ["y" * 1_000_000] * 39})
    changed = await Large.update_dataframe(frame, on=["id"])
    assert (changed.matched, changed.modified) == (39, 39)


@lm.declare_persist_db(DATABASE, "large")
class Large(lm.PersistableBase):
    number: int
    text: str = ""
    value: int = 0
