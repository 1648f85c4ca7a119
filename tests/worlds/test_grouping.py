"""What tasks begin in one turn of the event loop goes to the server together."""

from __future__ import annotations

import asyncio
from typing import Any

import pymongo

import loom_async as lm
from tests.commands import commands_of, recorder
from tests.worlds.many_tasks import MANY, Counted, Task, make, names, rename

_KINDS = {"findAndModify", "update", "find"}


def kinds(sent: list[dict[str, Any]]) -> dict[str, int]:
    found = [next(iter(command), "") for command in sent]
    return {kind: found.count(kind) for kind in found if kind in _KINDS}


async def test_many_go_together(client: Any, db: str) -> None:
    tasks = await make()
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


async def test_a_hundred_at_most(client: Any, db: str) -> None:
    tasks = await make(250)
    with commands_of(client, "update") as sent:
        await asyncio.gather(*rename(tasks))
    assert sorted(len(command["updates"]) for command in sent) == [42, 100, 100]
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
