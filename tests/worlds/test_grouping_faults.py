"""Grouped calls that are cancelled, refused, delayed or cut off end like single calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest
from pymongo import AsyncMongoClient

import loom_async as lm
from loom_async._concurrency import BatchedCalls
from loom_async.collections.find import collection_of
from loom_async.documents import batched_updates
from tests.commands import commands_of
from tests.mongod import run_mongod
from tests.worlds.task_models import MANY, Tagged, Task, Unique, create, names, rename


@pytest.mark.parametrize("iterations", [0, 1, 2, 3, 8])
async def test_cancelling_some_calls_does_not_affect_the_others(db: str, iterations: int) -> None:
    """The other calls succeed, and the objects of cancelled calls can be stored afterwards."""
    tasks = await create()
    saves = [asyncio.create_task(renaming) for renaming in rename(tasks)]
    for _ in range(iterations):
        await asyncio.sleep(0)
    for save in saves[::3]:
        save.cancel()
    done = await asyncio.gather(*saves, return_exceptions=True)
    for number, outcome in enumerate(done):
        assert outcome is True or (number % 3 == 0 and isinstance(outcome, asyncio.CancelledError))
    await asyncio.gather(*rename(tasks))
    assert await names() == {"new"}
    assert not any(await asyncio.gather(*(task.persist() for task in tasks)))


async def test_nothing_is_sent_if_all_calls_are_cancelled(client: Any, db: str) -> None:
    tasks = await create()
    saves = [asyncio.create_task(renaming) for renaming in rename(tasks)]
    await asyncio.sleep(0)
    with commands_of(client, "update") as sent:
        for save in saves:
            save.cancel()
        await asyncio.wait(saves)
        await asyncio.sleep(0.1)
    assert sent == []


@pytest.fixture
def short_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batched_updates, "_LIMIT", 150)


async def test_only_the_save_of_a_locked_document_waits(
    client: Any, db: str, short_limit: None
) -> None:
    tasks = await create()
    collection = await collection_of(Task)
    locked = tasks[20]
    async with client.start_session() as session, await session.start_transaction():
        await collection.update_one({"_id": locked.id}, {"$set": {"text": "x"}}, session=session)
        saves = [asyncio.create_task(save) for save in rename(tasks)]
        waiting = saves.pop(20)
        assert all(await asyncio.wait_for(asyncio.gather(*saves), 10))
        assert not waiting.done()
    assert await waiting
    assert locked.text == "x"
    assert await names() == {"new"}


async def test_a_save_that_waited_overwrites_as_a_single_one_does(
    client: Any, db: str, short_limit: None
) -> None:
    """The save overwrites the earlier transaction; additions to a set are merged in any order."""
    tasks, tagged = await create(20), await create(20, Tagged)
    collection = await collection_of(Task)
    async with client.start_session() as session, await session.start_transaction():
        theirs = {"$set": {"name": "theirs"}}
        await collection.update_one({"_id": tasks[10].id}, theirs, session=session)
        query, tags = {"_id": tagged[10].id}, {"$set": {"tags": ["z"]}}
        await (await collection_of(Tagged)).update_one(query, tags, session=session)
        for one in tagged:
            one.tags |= {"c", "a", "b"}
        saves = [*rename(tasks), *(one.persist() for one in tagged)]
        waiting = [asyncio.create_task(save) for save in saves]
        await asyncio.sleep(1)
    assert all(await asyncio.gather(*waiting))
    assert await names() == {"new"}
    assert tagged[10].tags == {"a", "b", "c", "z"}


async def test_a_later_value_of_another_client_is_kept(
    db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update that was executed is not repeated after another client has changed the value."""
    tasks = await create(20)
    collection = await collection_of(Task)
    read_back = batched_updates._read_back

    async def update_then_read_back(*arguments: Any) -> Any:
        await collection.update_one({"_id": tasks[10].id}, {"$set": {"name": "done"}})
        return await read_back(*arguments)

    monkeypatch.setattr(batched_updates, "_read_back", update_then_read_back)
    await collection.delete_many({"_id": {"$in": [task.id for task in tasks[12:15]]}})
    outcomes = await asyncio.gather(*rename(tasks), return_exceptions=True)
    assert [n for n, o in enumerate(outcomes) if isinstance(o, lm.DocumentNotFound)] == [12, 13, 14]
    assert outcomes[10] is True
    assert tasks[10].name == "new"
    assert await names() == {"new", "done"}


async def test_a_task_with_a_bound_session_is_not_grouped_with_others(client: Any, db: str) -> None:
    tasks = await create(20)
    session = client.start_session()
    # Loom supports pymongo from 4.13 on; sessions have `bind` since 4.17.
    if not hasattr(session, "bind"):
        pytest.skip("pymongo before 4.17 cannot bind a session to a task")
    await session.start_transaction()

    async def bound() -> None:
        async with session.bind(end_session=False):
            tasks[10].name = "inside"
            await tasks[10].persist()

    others = [task for task in tasks if task is not tasks[10]]
    await asyncio.gather(*rename(others[:10]), bound(), *rename(others[10:]))
    await session.abort_transaction()
    await session.end_session()
    assert await names() == {"", "new"}


async def test_grouping_with_other_task_factories(db: str) -> None:
    loop = asyncio.get_running_loop()
    loop.set_task_factory(lambda loop, coroutine: asyncio.Task(coroutine, loop=loop))  # type: ignore[arg-type]
    tasks = await create(20)
    assert all(await asyncio.wait_for(asyncio.gather(*rename(tasks)), 10))
    call = BatchedCalls(double, wait_forever, bool, max_single=2, min_batch=6)
    calls = [asyncio.create_task(call(number)) for number in range(1, 20)]
    loop.set_task_factory(failing_task_factory)
    try:
        assert await asyncio.gather(*calls) == [2 * number for number in range(1, 20)]
    finally:
        loop.set_task_factory(None)


def failing_task_factory(loop: Any, coroutine: Any, **options: Any) -> Any:
    raise RuntimeError


async def double(item: int) -> int:
    await asyncio.sleep(0.05)
    return 2 * item


async def wait_forever(items: Sequence[int]) -> list[int]:
    await asyncio.Event().wait()
    return []


async def test_a_batch_is_cancelled_when_all_its_calls_are(db: str) -> None:
    call = BatchedCalls(double, wait_forever, bool, max_single=2, min_batch=6)
    before = asyncio.all_tasks()
    calls = [asyncio.create_task(call(number)) for number in range(1, 20)]
    await asyncio.sleep(0.01)
    running = asyncio.all_tasks() - before - set(calls)
    assert len(running) == 1
    for one in calls:
        one.cancel()
    await asyncio.wait([*calls, *running])
    assert asyncio.all_tasks() == before


async def test_the_event_loop_ends_during_grouped_saves(db: str) -> None:
    """Each waiting save raises CancelledError."""
    tasks = await create()
    ids = [task.id for task in tasks]

    def other_loop() -> list[Any]:
        outcomes: list[Any] = []
        started: list[asyncio.Task[None]] = []

        async def save(task: Any) -> None:
            try:
                outcomes.append(await task.persist())
            except asyncio.CancelledError as error:
                outcomes.append(error)
                raise

        async def main() -> None:
            loaded: list[Any] = [await Task.from_id(id) for id in ids]
            for task in loaded:
                task.name = "late"
            started.extend(asyncio.create_task(save(task)) for task in loaded)
            for _ in range(3):
                await asyncio.sleep(0)

        asyncio.run(main())
        return outcomes

    outcomes = await asyncio.to_thread(other_loop)
    assert len(outcomes) == MANY
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)


@pytest.fixture(scope="module")
def failing_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_mongod(tmp_path_factory.mktemp("mongod"), replica_set="rs0") as uri:
        yield uri


@pytest.fixture
async def failing(failing_uri: str) -> AsyncIterator[AsyncMongoClient[dict[str, Any]]]:
    """A client of a server with fail points."""
    with lm.using(database="failing"):
        async with lm.connect(failing_uri, heartbeatFrequencyMS=500) as opened:
            yield opened
            await opened.admin.command("configureFailPoint", "failCommand", mode="off")
            await opened.drop_database("failing")


async def fail(client: Any, command: str, failure: dict[str, Any], times: int = 1) -> None:
    await client.admin.command(
        "configureFailPoint",
        "failCommand",
        mode={"times": times},
        data={"failCommands": [command], **failure},
    )


_UNKNOWN = [
    ("update", {"closeConnection": True}),
    ("update", {"errorCode": 10107}),
    ("update", {"errorCode": 50}),
    ("update", {"writeConcernError": {"code": 91, "errmsg": "leaving"}}),
    ("update", {"writeConcernError": {"code": 50, "errmsg": "too long"}}),
    ("update", {"errorCode": 13}),
    ("update", {"errorCode": 11601}),
    ("find", {"errorCode": 11600}),
]


@pytest.mark.parametrize(("command", "failure"), _UNKNOWN)
async def test_after_a_failure_each_save_is_settled_separately(
    failing: Any, command: str, failure: dict[str, Any]
) -> None:
    tasks = await create()
    await fail(failing, command, failure, times=2 if command == "find" else 1)
    assert all(await asyncio.gather(*rename(tasks)))
    assert await names() == {"new"}


async def test_write_concern_error_of_a_grouped_update(failing: Any) -> None:
    tasks = await create(20, Unique)
    await Unique(name="taken").persist()
    saves = [renamed for n, task in enumerate(tasks) for renamed in rename([task], f"new {n}")]
    tasks[9].name = "taken"
    await fail(failing, "update", {"writeConcernError": {"code": 64, "errmsg": "few"}})
    outcomes = await asyncio.gather(*saves, return_exceptions=True)
    assert outcomes[:8] == [True] * 8
    assert isinstance(outcomes.pop(9), lm.DuplicateKey)
    assert {type(outcome) for outcome in outcomes[8:]} == {lm.OperationFailed}
    assert await Unique.filter(lm.fld["name"].starts_with("new")).count() == 19


async def test_a_cancelled_save_does_not_overwrite_a_later_one(failing: Any) -> None:
    tasks = await create()
    await fail(failing, "update", {"blockConnection": True, "blockTimeMS": 400})
    saves = [asyncio.create_task(save) for save in rename(tasks)]
    await asyncio.sleep(0.1)
    saves[20].cancel()
    await asyncio.wait([saves[20]])
    await asyncio.gather(*rename([tasks[20]], "newer"))
    await asyncio.wait(saves)
    assert (await tasks[20].reload()).name == "newer"
    assert await names() == {"new", "newer"}
