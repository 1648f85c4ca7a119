"""Many tasks change few documents at once: every call succeeds, and every change is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any

import pytest
from pydantic import create_model

import loom_async as lm

_FIELDS = {f"field{number}": (str, "") for number in range(10)}


@lm.declare_persist_db("contention", "boards")
class Board(create_model("Fields", __base__=lm.Persistable, **_FIELDS)):  # type: ignore[call-overload,misc]
    """A document with a field for each of ten tasks, an entry for each, and a counter for all."""

    entries: dict[str, str] = {}
    count: lm.IncrCounter = 0
    log: list[int] = []
    common: str = ""


async def boards(count: int) -> list[Any]:
    made = [Board() for _ in range(count)]
    await Board.persist_many(made)
    return [board.id for board in made]


async def stored(ids: list[Any]) -> list[Any]:
    found = {board.id: board for board in await Board.filter().load_many()}
    return [found[id] for id in ids]


async def outcomes(calls: Iterable[Awaitable[Any]]) -> list[Any]:
    """Return the results of all calls; an error of one is raised when all have ended."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    assert not errors, f"{len(errors)} errors, the first: {errors[0]!r}"
    return results


@pytest.fixture(params=[True, False], ids=["grouping", "single"])
async def world(db: str, request: pytest.FixtureRequest) -> Any:
    with lm.config_context(grouping=request.param):
        yield db


TASKS, DOCUMENTS, TIMES = 100, 10, 5


async def test_each_task_has_a_field(world: str) -> None:
    """Ten tasks a document load, change and store it again and again."""
    ids = await boards(DOCUMENTS)

    async def work(task: int) -> list[bool]:
        saves: list[bool] = []
        for time in range(TIMES):
            board: Any = await Board.from_id(ids[task % DOCUMENTS])
            setattr(board, f"field{task // DOCUMENTS}", f"{task}, {time}")
            saves.append(await board.persist())
        return saves

    assert await outcomes(map(work, range(TASKS))) == [[True] * TIMES] * TASKS
    for number, board in enumerate(await stored(ids)):
        for field in range(10):
            task = field * DOCUMENTS + number
            assert getattr(board, f"field{field}") == f"{task}, {TIMES - 1}"


async def test_each_task_has_an_entry(world: str) -> None:
    """Their objects are loaded before any of them is stored."""
    ids = await boards(15)
    loaded: list[Any] = await outcomes(Board.from_id(ids[n % 15]) for n in range(90))
    for task, board in enumerate(loaded):
        board.entries[f"task.{task}"] = "mine"
    assert await outcomes(board.persist() for board in loaded) == [True] * 90
    for number, board in enumerate(await stored(ids)):
        assert board.entries == {f"task.{task}": "mine" for task in range(number, 90, 15)}


async def test_disjoint_fields(world: str) -> None:
    ids = await boards(15)
    loaded: list[Any] = await outcomes(Board.from_id(ids[n % 15]) for n in range(90))
    for task, board in enumerate(loaded):
        setattr(board, f"field{task // 15}", f"{task}")
    assert await outcomes(board.persist() for board in loaded) == [True] * 90
    for number, board in enumerate(await stored(ids)):
        values = [getattr(board, f"field{field}") for field in range(6)]
        assert values == [f"{field * 15 + number}" for field in range(6)]


async def test_the_same_field(world: str) -> None:
    """One of the values is stored, and each task is told that its own was written."""
    ids = await boards(DOCUMENTS)

    async def work(task: int) -> list[bool]:
        board: Any = await Board.from_id(ids[task % DOCUMENTS])
        saves: list[bool] = []
        for time in range(TIMES):
            board.common = f"{task}, {time}"
            saves.append(await board.persist())
        return saves

    assert await outcomes(map(work, range(TASKS))) == [[True] * TIMES] * TASKS
    for number, board in enumerate(await stored(ids)):
        last = {f"{task}, {TIMES - 1}" for task in range(number, TASKS, DOCUMENTS)}
        assert board.common in last


async def test_a_counter_and_a_list_of_all(world: str) -> None:
    ids = await boards(DOCUMENTS)

    async def work(task: int) -> None:
        for time in range(TIMES):
            board: Any = await Board.from_id(ids[task % DOCUMENTS])
            board.count += 1
            board.log.append(task * TIMES + time)
            assert await board.persist()

    await outcomes(map(work, range(TASKS)))
    for number, board in enumerate(await stored(ids)):
        assert board.count == TASKS // DOCUMENTS * TIMES
        tasks = range(number, TASKS, DOCUMENTS)
        assert sorted(board.log) == [task * TIMES + time for task in tasks for time in range(TIMES)]


async def test_one_object_of_all_tasks(world: str) -> None:
    """The calls of one object take turns, and each stores what it has at that moment."""
    board: Any = Board()
    await board.persist()

    async def work(task: int) -> None:
        for time in range(TIMES):
            setattr(board, f"field{task}", f"{time}")
            board.count += 1
            board.entries[f"{task}"] = f"{time}"
            await board.persist()

    await outcomes(map(work, range(10)))
    assert await board.persist() is False
    (there,) = await stored([board.id])
    assert there == board
    assert there.count == 10 * TIMES
    assert there.entries == {f"{task}": f"{TIMES - 1}" for task in range(10)}
