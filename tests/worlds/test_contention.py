"""Contention: many tasks change few documents, every call succeeds, every edit is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any

import pytest
from pydantic import create_model

import loom_async as lm

_FIELDS = {f"field{number}": (str, "") for number in range(10)}


@lm.declare_persist_db("contention", "create_boards")
class Board(create_model("Fields", __base__=lm.Persistable, **_FIELDS)):  # type: ignore[call-overload,misc]
    """A document with a field and a key for each of ten tasks, and a counter for all."""

    entries: dict[str, str] = {}
    count: lm.IncrCounter = 0
    log: list[int] = []
    common: str = ""


async def create_boards(count: int) -> list[Any]:
    created = [Board() for _ in range(count)]
    await Board.persist_many(created)
    return [board.id for board in created]


async def stored(ids: list[Any]) -> list[Any]:
    found = {board.id: board for board in await Board.filter().load_many()}
    return [found[id] for id in ids]


async def outcomes(calls: Iterable[Awaitable[Any]]) -> list[Any]:
    """Return the results of all calls; fail if any has raised an error."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    assert not errors, f"{len(errors)} errors, the first: {errors[0]!r}"
    return results


@pytest.fixture(params=[True, False], ids=["grouping", "single"])
async def database(db: str, request: pytest.FixtureRequest) -> Any:
    with lm.config_context(grouping=request.param):
        yield db


TASKS, DOCUMENTS, REPEATS = 100, 10, 5


async def test_each_task_sets_its_own_field(database: str) -> None:
    """For each document, ten tasks load, edit and store it repeatedly."""
    ids = await create_boards(DOCUMENTS)

    async def work(task: int) -> list[bool]:
        saves: list[bool] = []
        for time in range(REPEATS):
            board: Any = await Board.from_id(ids[task % DOCUMENTS])
            setattr(board, f"field{task // DOCUMENTS}", f"{task}, {time}")
            saves.append(await board.persist())
        return saves

    assert await outcomes(map(work, range(TASKS))) == [[True] * REPEATS] * TASKS
    for number, board in enumerate(await stored(ids)):
        for field in range(10):
            task = field * DOCUMENTS + number
            assert getattr(board, f"field{field}") == f"{task}, {REPEATS - 1}"


async def test_each_task_sets_its_own_key(database: str) -> None:
    """All objects are loaded before any of them is stored."""
    ids = await create_boards(15)
    loaded: list[Any] = await outcomes(Board.from_id(ids[n % 15]) for n in range(90))
    for task, board in enumerate(loaded):
        board.entries[f"task.{task}"] = "mine"
    assert await outcomes(board.persist() for board in loaded) == [True] * 90
    for number, board in enumerate(await stored(ids)):
        assert board.entries == {f"task.{task}": "mine" for task in range(number, 90, 15)}


async def test_stale_objects_with_disjoint_edits(database: str) -> None:
    ids = await create_boards(15)
    loaded: list[Any] = await outcomes(Board.from_id(ids[n % 15]) for n in range(90))
    for task, board in enumerate(loaded):
        setattr(board, f"field{task // 15}", f"{task}")
    assert await outcomes(board.persist() for board in loaded) == [True] * 90
    for number, board in enumerate(await stored(ids)):
        values = [getattr(board, f"field{field}") for field in range(6)]
        assert values == [f"{field * 15 + number}" for field in range(6)]


async def test_all_tasks_set_the_same_field(database: str) -> None:
    """One of the last values is stored, and each persist returns that it has written."""
    ids = await create_boards(DOCUMENTS)

    async def work(task: int) -> list[bool]:
        board: Any = await Board.from_id(ids[task % DOCUMENTS])
        saves: list[bool] = []
        for time in range(REPEATS):
            board.common = f"{task}, {time}"
            saves.append(await board.persist())
        return saves

    assert await outcomes(map(work, range(TASKS))) == [[True] * REPEATS] * TASKS
    for number, board in enumerate(await stored(ids)):
        last = {f"{task}, {REPEATS - 1}" for task in range(number, TASKS, DOCUMENTS)}
        assert board.common in last


async def test_all_tasks_increment_and_append(database: str) -> None:
    ids = await create_boards(DOCUMENTS)

    async def work(task: int) -> None:
        for time in range(REPEATS):
            board: Any = await Board.from_id(ids[task % DOCUMENTS])
            board.count += 1
            board.log.append(task * REPEATS + time)
            assert await board.persist()

    await outcomes(map(work, range(TASKS)))
    for number, board in enumerate(await stored(ids)):
        assert board.count == TASKS // DOCUMENTS * REPEATS
        tasks = range(number, TASKS, DOCUMENTS)
        assert sorted(board.log) == [
            task * REPEATS + time for task in tasks for time in range(REPEATS)
        ]


async def test_all_tasks_share_one_object(database: str) -> None:
    """The calls of one object run one after another; each stores the current values."""
    board: Any = Board()
    await board.persist()

    async def work(task: int) -> None:
        for time in range(REPEATS):
            setattr(board, f"field{task}", f"{time}")
            board.count += 1
            board.entries[f"{task}"] = f"{time}"
            await board.persist()

    await outcomes(map(work, range(10)))
    assert await board.persist() is False
    (found,) = await stored([board.id])
    assert found == board
    assert found.count == 10 * REPEATS
    assert found.entries == {f"{task}": f"{REPEATS - 1}" for task in range(10)}
