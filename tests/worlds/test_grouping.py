"""What tasks begin in one turn of the event loop goes to the server together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pymongo
import pytest
from pymongo import AsyncMongoClient

import loom_async as lm
from loom_async import grouped_updates
from loom_async.database import collection_of
from tests.commands import commands_of, recorder
from tests.mongod import run_mongod

MANY = 40


@lm.declare_persist_db("grouping", "tasks")
class Task(lm.Persistable):
    name: str = ""
    text: str = ""
    count: lm.IncrCounter = 0


@lm.declare_persist_db("grouping", "counted")
class Counted(lm.PersistableBase):
    name: str = ""
    revision: lm.Revision = 0


async def make(count: int = MANY, model: Any = Task, **values: Any) -> list[Any]:
    made = [model(**values) for _ in range(count)]
    await model.persist_many(made)
    return made


def rename(tasks: list[Any], name: str = "new") -> list[Any]:
    for task in tasks:
        task.name = name
    return [task.persist() for task in tasks]


async def names() -> set[str]:
    return {task.name for task in await Task.filter().load_many()}


_KINDS = {"findAndModify", "update", "find"}


def kinds(sent: list[dict[str, Any]]) -> dict[str, int]:
    found = [next(iter(command), "") for command in sent]
    return {kind: found.count(kind) for kind in found if kind in _KINDS}


async def test_many_go_together(client: Any, db: str) -> None:
    tasks = await make()
    with commands_of(client) as sent:
        assert all(await asyncio.gather(*rename(tasks)))
    assert kinds(sent) == {"findAndModify": 2, "update": 1, "find": 1}
    (update,) = (command for command in sent if "updates" in command)
    assert len(update["updates"]) == MANY - 2
    assert all(u["u"]["$set"].keys() == {"name", "updated_time"} for u in update["updates"])
    with commands_of(client) as sent:
        found = await asyncio.gather(*(Task.from_id(task.id) for task in tasks))
    assert kinds(sent) == {"find": 3}
    assert found == tasks
    assert await names() == {"new"}


async def test_a_hundred_at_most(client: Any, db: str) -> None:
    tasks = await make(250)
    with commands_of(client, "update") as sent:
        await asyncio.gather(*rename(tasks))
    assert sorted(len(command["updates"]) for command in sent) == [48, 100, 100]
    assert await names() == {"new"}


async def test_few_go_by_themselves(client: Any, db: str) -> None:
    tasks = await make(7)
    with commands_of(client) as sent:
        await asyncio.gather(*rename(tasks))
        await asyncio.gather(*(Task.from_id(task.id) for task in tasks))
    assert kinds(sent) == {"findAndModify": 7, "find": 7}


async def test_one_after_another(client: Any, db: str) -> None:
    tasks = await make()
    with commands_of(client) as sent:
        for renaming in rename(tasks):
            await renaming
    assert kinds(sent) == {"findAndModify": MANY}


def counting(tasks: list[Task]) -> list[Any]:
    for task in tasks:
        task.count += 1
    return [task.persist() for task in tasks]


async def test_what_cannot_be_made_twice_goes_by_itself(client: Any, db: str) -> None:
    tasks, counted = await make(20), await make(20, Counted)
    with commands_of(client) as sent:
        assert all(await asyncio.gather(*counting(tasks), *rename(counted)))
    assert kinds(sent) == {"findAndModify": 40}


async def test_large_documents_go_by_themselves(client: Any, db: str) -> None:
    """Also those that were large: what they were is sent as well."""
    tasks = await make(20, text="x" * 20_000)
    with commands_of(client) as sent:
        assert all(await asyncio.gather(*rename(tasks)))
        for task in tasks:
            task.text = ""
        assert all(await asyncio.gather(*rename(tasks, "small")))
    assert kinds(sent) == {"findAndModify": 40}
    with commands_of(client, "update") as sent:
        assert all(await asyncio.gather(*rename(tasks)))
    assert len(sent) == 1


async def test_where_time_is_limited_for_each(client: Any, db: str, mongo_uri: str) -> None:
    tasks = await make(20)
    with commands_of(client) as sent, pymongo.timeout(30):
        await asyncio.gather(*rename(tasks, "one"))
        await asyncio.gather(*(Task.from_id(task.id) for task in tasks))
    assert kinds(sent) == {"findAndModify": 20, "find": 20}
    async with lm.connect(f"{mongo_uri}&timeoutMS=30000", event_listeners=[recorder]) as limited:
        with commands_of(limited, "update") as sent:
            await asyncio.gather(*rename(tasks, "two"))
    assert sent == []
    assert await names() == {"two"}


async def test_the_setting(client: Any, db: str) -> None:
    tasks = await make(20)
    with commands_of(client) as sent, lm.config_context(grouping=False):
        await asyncio.gather(*rename(tasks))
        await asyncio.gather(*(Task.from_id(task.id) for task in tasks))
    assert kinds(sent) == {"findAndModify": 20, "find": 20}


async def test_transactions_are_apart(client: Any, db: str) -> None:
    inside, outside = await make(20), await make(20)

    async def rename_inside() -> None:
        async with lm.transaction():
            await asyncio.gather(*rename(inside, "inside"))
            raise KeyError

    undone, *done = await asyncio.gather(
        rename_inside(), *rename(outside, "outside"), return_exceptions=True
    )
    assert isinstance(undone, KeyError)
    assert done == [True] * 20
    assert await names() == {"", "outside"}
    assert {task.name for task in inside} == {""}


async def test_tenants_are_apart(client: Any, db: str) -> None:
    async def work(tenant: str) -> set[str]:
        with lm.using(database=f"{db}_{tenant}"):
            await asyncio.gather(*rename(await make(10), tenant))
            return await names()

    tenants = [f"tenant{n}" for n in range(4)]
    assert await asyncio.gather(*map(work, tenants)) == [{tenant} for tenant in tenants]
    for tenant in tenants:
        await client.drop_database(f"{db}_{tenant}")


async def test_a_write_concern_is_kept(client: Any, db: str, mongo_uri: str) -> None:
    tasks = await make()
    async with lm.connect(f"{mongo_uri}&w=1&journal=true", event_listeners=[recorder]) as opened:
        with commands_of(opened, "update") as sent:
            await asyncio.gather(*rename(tasks))
    assert [command["writeConcern"] for command in sent] == [{"w": 1, "j": True}]


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 8])
async def test_some_are_cancelled(db: str, turns: int) -> None:
    """Whoever is cancelled takes nobody along, and can be stored afterwards."""
    tasks = await make()
    saves = [asyncio.create_task(renaming) for renaming in rename(tasks)]
    for _ in range(turns):
        await asyncio.sleep(0)
    for save in saves[::3]:
        save.cancel()
    done = await asyncio.gather(*saves, return_exceptions=True)
    for number, outcome in enumerate(done):
        assert outcome is True or (number % 3 == 0 and isinstance(outcome, asyncio.CancelledError))
    await asyncio.gather(*rename(tasks))
    assert await names() == {"new"}
    assert not any(await asyncio.gather(*(task.persist() for task in tasks)))


async def test_all_are_cancelled_before_anything_is_sent(client: Any, db: str) -> None:
    tasks = await make()
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
    monkeypatch.setattr(grouped_updates, "_LIMIT", 150)


async def test_one_waits_for_a_transaction_and_the_others_do_not(
    client: Any, db: str, short_limit: None
) -> None:
    tasks = await make()
    collection = await collection_of(Task)
    held = tasks[20]
    async with client.start_session() as session, await session.start_transaction():
        await collection.update_one({"_id": held.id}, {"$set": {"text": "x"}}, session=session)
        saves = [asyncio.create_task(save) for save in rename(tasks)]
        waiting = saves.pop(20)
        assert all(await asyncio.wait_for(asyncio.gather(*saves), 10))
        assert not waiting.done()
    assert await waiting
    assert held.text == "x"
    assert await names() == {"new"}


async def test_the_loop_ends_meanwhile(db: str) -> None:
    """A program that is stopped in the middle says so to whoever waits."""
    tasks = await make()
    ids = [task.id for task in tasks]

    def other_loop() -> list[Any]:
        outcomes: list[Any] = []
        begun: list[asyncio.Task[None]] = []

        async def save(task: Any) -> None:
            try:
                outcomes.append(await task.persist())
            except asyncio.CancelledError as error:
                outcomes.append(error)
                raise

        async def main() -> None:
            found: list[Any] = [await Task.from_id(id) for id in ids]
            for task in found:
                task.name = "late"
            begun.extend(asyncio.create_task(save(task)) for task in found)
            for _ in range(3):
                await asyncio.sleep(0)

        asyncio.run(main())
        return outcomes

    outcomes = await asyncio.to_thread(other_loop)
    assert len(outcomes) == MANY
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)


@pytest.fixture
async def failing(tmp_path: Path) -> AsyncIterator[AsyncMongoClient[dict[str, Any]]]:
    """A client of a server that fails when it is told to, and is told to no more at the end."""
    with run_mongod(tmp_path, replica_set="rs0") as uri, lm.using(database="failing"):
        async with lm.connect(uri, event_listeners=[recorder], heartbeatFrequencyMS=500) as opened:
            yield opened


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
    ("find", {"errorCode": 11600}),
]
_KNOWN = [
    ({"errorCode": 13}, lm.AuthenticationFailed),
    ({"errorCode": 11601}, lm.OperationFailed),
    ({"writeConcernError": {"code": 64, "errmsg": "few"}}, lm.OperationFailed),
]


async def test_failures(failing: Any) -> None:
    """What may have happened is made once more by each; what has failed has failed for each."""
    for command, failure in _UNKNOWN:
        tasks = await make()
        await fail(failing, command, failure, times=2 if command == "find" else 1)
        assert all(await asyncio.gather(*rename(tasks)))
        assert await names() == {"new"}
        await Task.filter().delete()
    for failure, kind in _KNOWN:
        tasks = await make()
        await fail(failing, "update", failure)
        outcomes = await asyncio.gather(*rename(tasks), return_exceptions=True)
        assert [outcome is True for outcome in outcomes] == [True] * 2 + [False] * (MANY - 2)
        assert {type(outcome) for outcome in outcomes[2:]} == {kind}
        assert all(await asyncio.gather(*rename(tasks, "again")))
        assert await names() == {"again"}
        await Task.filter().delete()


async def test_a_cancelled_save_sets_nothing_over_a_later_one(failing: Any) -> None:
    tasks = await make()
    await fail(failing, "update", {"blockConnection": True, "blockTimeMS": 400})
    saves = [asyncio.create_task(save) for save in rename(tasks)]
    await asyncio.sleep(0.1)
    saves[20].cancel()
    await asyncio.wait([saves[20]])
    await asyncio.gather(*rename([tasks[20]], "newer"))
    await asyncio.wait(saves)
    assert (await tasks[20].reload()).name == "newer"
    assert await names() == {"new", "newer"}
