"""Grouping: calls that tasks begin in one iteration of the event loop are sent together."""

from __future__ import annotations

import asyncio
from typing import Any

import pymongo

import loom_async as lm
from tests.commands import commands_of, recorder
from tests.worlds.task_models import MANY, Counted, Task, create, names, rename

_KINDS = {"findAndModify", "update", "find"}


def kinds(sent: list[dict[str, Any]]) -> dict[str, int]:
    found = [next(iter(command), "") for command in sent]
    return {kind: found.count(kind) for kind in found if kind in _KINDS}


async def test_many_saves_and_loads_are_grouped(client: Any, db: str) -> None:
    tasks = await create()
    with commands_of(client) as sent:
        assert all(await asyncio.gather(*rename(tasks)))
    assert kinds(sent) == {"findAndModify": 8, "update": 1, "find": 1}
    (update,) = (command for command in sent if "updates" in command)
    assert len(update["updates"]) == MANY - 8
    assert all(u["u"]["$set"].keys() == {"name", "updated_time"} for u in update["updates"])
    with commands_of(client) as sent:
        found = await asyncio.gather(*(Task.from_id(task.id) for task in tasks))
    assert kinds(sent) == {"find": 3}
    assert found == tasks
    assert await names() == {"new"}


async def test_a_group_has_a_hundred_statements_at_most(client: Any, db: str) -> None:
    tasks = await create(250)
    with commands_of(client, "update") as sent:
        await asyncio.gather(*rename(tasks))
    assert sorted(len(command["updates"]) for command in sent) == [42, 100, 100]
    assert await names() == {"new"}


async def test_few_calls_are_not_grouped(client: Any, db: str) -> None:
    tasks = await create(7)
    with commands_of(client) as sent:
        await asyncio.gather(*rename(tasks))
        await asyncio.gather(*(Task.from_id(task.id) for task in tasks))
    assert kinds(sent) == {"findAndModify": 7, "find": 7}


async def test_consecutive_calls_are_not_grouped(client: Any, db: str) -> None:
    tasks = await create()
    with commands_of(client) as sent:
        for renaming in rename(tasks):
            await renaming
    assert kinds(sent) == {"findAndModify": MANY}


def increment(tasks: list[Task]) -> list[Any]:
    for task in tasks:
        task.count += 1
    return [task.persist() for task in tasks]


async def test_updates_that_are_not_idempotent_are_not_grouped(client: Any, db: str) -> None:
    tasks, counted = await create(20), await create(20, Counted)
    with commands_of(client) as sent:
        assert all(await asyncio.gather(*increment(tasks), *rename(counted)))
    assert kinds(sent) == {"findAndModify": 40}


async def test_large_documents_are_not_grouped(client: Any, db: str) -> None:
    """Nor are documents that were large before the edit: their old values are sent as well."""
    tasks = await create(20, text="x" * 20_000)
    with commands_of(client) as sent:
        assert all(await asyncio.gather(*rename(tasks)))
        for task in tasks:
            task.text = ""
        assert all(await asyncio.gather(*rename(tasks, "small")))
    assert kinds(sent) == {"findAndModify": 40}
    with commands_of(client, "update") as sent:
        assert all(await asyncio.gather(*rename(tasks)))
    assert len(sent) == 1


async def test_calls_with_a_timeout_are_not_grouped(client: Any, db: str, mongo_uri: str) -> None:
    tasks = await create(20)
    with commands_of(client) as sent, pymongo.timeout(30):
        await asyncio.gather(*rename(tasks, "one"))
        await asyncio.gather(*(Task.from_id(task.id) for task in tasks))
    assert kinds(sent) == {"findAndModify": 20, "find": 20}
    async with lm.connect(f"{mongo_uri}&timeoutMS=30000", event_listeners=[recorder]) as limited:
        with commands_of(limited, "update") as sent:
            await asyncio.gather(*rename(tasks, "two"))
    assert sent == []
    assert await names() == {"two"}


async def test_grouping_can_be_turned_off(client: Any, db: str) -> None:
    tasks = await create(20)
    with commands_of(client) as sent, lm.config_context(grouping=False):
        await asyncio.gather(*rename(tasks))
        await asyncio.gather(*(Task.from_id(task.id) for task in tasks))
    assert kinds(sent) == {"findAndModify": 20, "find": 20}


async def test_calls_of_a_transaction_are_not_grouped_with_others(client: Any, db: str) -> None:
    inside, outside = await create(20), await create(20)

    async def rename_inside() -> None:
        async with lm.transaction():
            await asyncio.gather(*rename(inside, "inside"))
            raise KeyError

    aborted, *done = await asyncio.gather(
        rename_inside(), *rename(outside, "outside"), return_exceptions=True
    )
    assert isinstance(aborted, KeyError)
    assert done == [True] * 20
    assert await names() == {"", "outside"}
    assert {task.name for task in inside} == {""}


async def test_calls_of_different_databases_are_not_grouped(client: Any, db: str) -> None:
    async def work(tenant: str) -> set[str]:
        with lm.using(database=f"{db}_{tenant}"):
            await asyncio.gather(*rename(await create(10), tenant))
            return await names()

    tenants = [f"tenant{n}" for n in range(4)]
    assert await asyncio.gather(*map(work, tenants)) == [{tenant} for tenant in tenants]
    for tenant in tenants:
        await client.drop_database(f"{db}_{tenant}")


async def test_grouped_updates_have_the_write_concern_of_the_client(
    client: Any, db: str, mongo_uri: str
) -> None:
    tasks = await create()
    async with lm.connect(f"{mongo_uri}&w=1&journal=true", event_listeners=[recorder]) as opened:
        with commands_of(opened, "update") as sent:
            await asyncio.gather(*rename(tasks))
    assert [command["writeConcern"] for command in sent] == [{"w": 1, "j": True}]
