"""Parts of a bulk write that are planned while another is under way: nothing differs by that."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

import loom_async as lm
from loom_async._concurrency import run_beside
from loom_async._core.model import bulk_plan
from loom_async.documents import many
from tests.worlds.failing_server import DATABASE, Client, fail

COUNT = 24


@lm.declare_persist_db("worlds", "planned", index=[lm.Index("name", unique=True)])
class Planned(lm.Persistable):
    number: int
    name: str
    size: int = 0
    count: lm.IncrCounter = 0
    log: list[str] = []


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "_PLANNED_AHEAD", 5)
    monkeypatch.setattr(bulk_plan, "_SLICE", 2)


async def some_documents(rng: random.Random) -> list[Planned]:
    """Return new, unchanged and changed objects in random order, some of which cannot be stored."""
    loaded = [Planned(number=n, name=f"old {n}") for n in range(COUNT // 2)]
    await Planned.persist_many(loaded)
    for document in loaded:
        if rng.random() < 0.7:
            document.count += 1
            document.log.append("edited")
    new = [Planned(number=n, name=f"new {n}", count=1) for n in range(COUNT // 2, COUNT)]
    for document in rng.sample(new, 3):
        document.name = "old 0"  # refused by the index
    for document in rng.sample([*loaded, *new], 2):
        document.size = 2**70  # refused by BSON
    documents = [*loaded, *new]
    rng.shuffle(documents)
    return documents


async def outcome(documents: list[Planned]) -> Any:
    try:
        return await Planned.persist_many(documents)
    except lm.BulkError as error:
        return error.inserted, error.updated, [one.index for one in error.entries]


async def stored(client: Client) -> dict[int, tuple[Any, ...]]:
    found = client[DATABASE]["planned"].find()
    return {d["number"]: (d["name"], d["count"], d["log"], d["size"]) async for d in found}


def held(documents: list[Planned]) -> dict[int, tuple[Any, ...]]:
    return {d.number: (d.name, d.count, d.log, d.size) for d in documents}


@pytest.mark.parametrize("seed", range(6))
async def test_the_outcome_is_that_of_one_part(
    failing: Client, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    outcomes: list[Any] = []
    for size in (5, 10_000):
        monkeypatch.setattr(many, "_PLANNED_AHEAD", size)
        documents = await some_documents(random.Random(seed))
        outcomes.append((await outcome(documents), await stored(failing)))
        await Planned.filter().delete()
    in_parts, at_once = outcomes
    assert in_parts == at_once


async def edit_meanwhile(rng: random.Random, documents: list[Planned], done: asyncio.Event) -> None:
    while not done.is_set():
        document = rng.choice(documents)
        document.size = rng.randrange(100)
        document.log.append("meanwhile")
        document.count += 1
        for _ in range(rng.randrange(4)):
            await asyncio.sleep(0)


@pytest.mark.parametrize("seed", range(6))
async def test_edits_and_cancels_under_way(failing: Client, seed: int) -> None:
    rng, done = random.Random(seed), asyncio.Event()
    documents = [Planned(number=n, name=f"n {n}") for n in range(COUNT)]
    editing = asyncio.create_task(edit_meanwhile(rng, documents, done))
    for _ in range(8):
        saving = asyncio.create_task(Planned.persist_many(documents))
        await asyncio.sleep(rng.choice([0, 0, 0.001, 0.003, 0.01]))
        saving.cancel()
        await asyncio.gather(saving, return_exceptions=True)
    done.set()
    await editing
    await Planned.persist_many(documents)
    assert await stored(failing) == held(documents)
    assert (await Planned.persist_many(documents)).unchanged == COUNT


@pytest.mark.parametrize("command", ["insert", "update"])
@pytest.mark.parametrize("times", [1, 3])
async def test_lost_replies(failing: Client, command: str, times: int) -> None:
    documents = [Planned(number=n, name=f"n {n}") for n in range(COUNT)]
    await Planned.persist_many(documents[: COUNT // 2])
    for document in documents:
        document.count += 1
    await fail(failing, command, {"closeConnection": True}, times)
    await asyncio.gather(Planned.persist_many(documents), return_exceptions=True)
    await failing.admin.command("configureFailPoint", "failCommand", mode="off")
    await Planned.persist_many(documents)
    assert await stored(failing) == held(documents)


async def test_an_error_beside_work_waits_for_its_end() -> None:
    ended = False

    async def work() -> None:
        nonlocal ended
        await asyncio.sleep(0.01)
        ended = True

    def fails() -> Any:
        yield
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        await run_beside(work(), fails())
    assert ended


async def test_a_cancel_ends_the_work_and_the_generator() -> None:
    closed, started = False, asyncio.Event()

    def endless() -> Any:
        nonlocal closed
        try:
            while True:
                started.set()
                yield
        finally:
            closed = True

    async def forever() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(run_beside(forever(), endless()))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed
