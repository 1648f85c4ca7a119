"""Frames whose commands end in the middle, or whose replies are lost: the outcome of each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pandas as pd
import pytest
from bson import ObjectId

import loom_async as lm
from tests.worlds.failing_server import DATABASE, Client, fail, kill_in_the_middle

_ROWS = 5_000


@lm.declare_persist_db(DATABASE, "readings")
class Reading(lm.PersistableBase):
    collection: ClassVar = "readings"
    number: int
    value: int = 0
    revision: lm.Revision = 0


def _make_frame(ids: Sequence[ObjectId] | None = None) -> pd.DataFrame:
    columns: dict[str, Any] = {"number": range(_ROWS), "value": [7] * _ROWS}
    return pd.DataFrame(columns if ids is None else {"id": ids, **columns})


async def _stored(client: Client) -> dict[int, tuple[int, int]]:
    """Return values and revisions by number; check that no number is stored twice."""
    found = await client[DATABASE]["readings"].find().to_list()
    assert len({one["number"] for one in found}) == len(found)
    return {one["number"]: (one["value"], one["revision"]) for one in found}


def _rows_of(ranges: Sequence[range]) -> set[int]:
    return {row for rows in ranges for row in rows}


@pytest.fixture(params=["update by id", "insert"])
async def ids(failing: Client, request: pytest.FixtureRequest) -> list[ObjectId] | None:
    """The ids of the stored documents that are updated; None for an insertion."""
    await Reading.filter().delete()
    if request.param == "insert":
        return None
    documents = [Reading(number=n) for n in range(_ROWS)]
    await Reading.persist_many(documents)
    return [document.id for document in documents]


async def _send(ids: list[ObjectId] | None, on_error: Any) -> Any:
    if ids is None:
        return await Reading.insert_dataframe(_make_frame(), on_error=on_error)
    return await Reading.update_dataframe(_make_frame(ids), on=["id"], on_error=on_error)


def _written_rows(stored: dict[int, tuple[int, int]]) -> set[int]:
    return {number for number, (value, _) in stored.items() if value == 7}


async def _send_and_kill(failing: Client, ids: list[ObjectId] | None, on_error: Any) -> Any:
    command = "insert" if ids is None else "update"
    return await kill_in_the_middle(failing, command, _send(ids, on_error))


async def test_killed_command_with_on_error_raise(
    failing: Client, ids: list[ObjectId] | None
) -> None:
    """`errors` lists rows that were not written, and `written` the rows that were."""
    error = await _send_and_kill(failing, ids, "raise")
    written = _written_rows(await _stored(failing))
    assert isinstance(error, lm.FrameError), error
    assert 0 < len(written) < _ROWS
    assert _rows_of(error.written) == written
    # The rows are sent in order: none is tried after the first that fails.
    assert {e.row for e in error.errors} <= set(range(_ROWS)) - written


async def test_killed_command_with_on_error_skip(
    failing: Client, ids: list[ObjectId] | None
) -> None:
    result = await _send_and_kill(failing, ids, "skip")
    written = _written_rows(await _stored(failing))
    assert 0 < len(written) < _ROWS
    assert {error.row for error in result.errors} == set(range(_ROWS)) - written
    if ids is None:
        assert result.inserted == len(written)
        assert {row for row, id in enumerate(result.ids) if id is not None} == written
    else:
        assert (result.matched, result.modified, result.inserted) == (len(written), len(written), 0)


@pytest.mark.parametrize("times", [1, 3])
async def test_closed_connection(failing: Client, ids: list[ObjectId] | None, times: int) -> None:
    """The command is retried until there is a reply, and each row is written once."""
    command = "insert" if ids is None else "update"
    await fail(failing, command, {"closeConnection": True}, times)
    result = await _send(ids, "raise")
    revision = 0 if ids is None else 1
    assert await _stored(failing) == dict.fromkeys(range(_ROWS), (7, revision))
    assert (result.inserted if ids is None else result.modified) == _ROWS


async def test_connection_closes_on_every_command(
    failing: Client, ids: list[ObjectId] | None
) -> None:
    command = "insert" if ids is None else "update"
    await fail(failing, command, {"closeConnection": True}, 1_000_000)
    with pytest.raises(lm.ConnectionFailed) as caught:
        await _send(ids, "raise")
    assert caught.value.__notes__ == [
        "Nothing was written; rows 0 to 4999 were being sent, and some may be written"
    ]


async def test_updates_of_several_documents_are_not_retried(failing: Client) -> None:
    """MongoDB cannot retry an update of many documents: it is sent once."""
    await Reading.filter().delete()
    await Reading.persist_many([Reading(number=n % 10) for n in range(100)])
    await fail(failing, "update", {"closeConnection": True}, 1)
    frame = pd.DataFrame({"number": range(10), "value": 7})
    with pytest.raises(lm.LoomError) as caught:
        await Reading.update_dataframe(frame, on=["number"])
    assert "may be written" in caught.value.__notes__[0]
    result = await Reading.update_dataframe(frame, on=["number"])
    assert (result.matched, result.modified) == (100, 100)


async def test_row_indexes_of_a_chunk_that_needs_several_commands(failing: Client) -> None:
    """Large rows of one chunk are sent in several commands, and errors keep their row indexes."""
    await Reading.filter().delete()
    frame = pd.DataFrame({"number": range(40), "text": ["x" * 1_000_000] * 40, "value": 7})
    frame.loc[3, "number"] = None
    result = await Large.insert_dataframe(frame, on_error="skip")
    assert [error.row for error in result.errors] == [3]
    assert [row for row, id in enumerate(result.ids) if id is None] == [3]
    assert result.inserted == 39
    numbers = {one.id: one.number for one in await Large.filter().load_many()}
    assert [numbers.get(id) for id in result.ids] == [n if n != 3 else None for n in range(40)]
    changes = pd.DataFrame({"id": list(numbers), "text": ["y" * 1_000_000] * 39})
    changed = await Large.update_dataframe(changes, on=["id"])
    assert (changed.matched, changed.modified) == (39, 39)


@lm.declare_persist_db(DATABASE, "large")
class Large(lm.PersistableBase):
    number: int
    text: str = ""
    value: int = 0
