"""Event loops: each has its own client, and its tasks may share an object."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import loom_async as lm

pytestmark = pytest.mark.usefixtures("db")


@lm.declare_persist_db("worlds_none", "users")
class User(lm.Persistable):
    name: str
    age: int = 0
    visits: lm.IncrCounter = 0


async def test_a_connect_block_applies_to_other_event_loops() -> None:
    """Each event loop has its own client of the block's server, with the block's options."""
    await User(name="Ann").persist()

    async def count() -> int:
        return await User.filter().count()

    assert await asyncio.to_thread(lambda: asyncio.run(count())) == 1


async def stored(user: User) -> dict[str, Any]:
    return (await User.filter(lm.fld["id"] == user.id).load_docs())[0]


def test_an_event_loop_closes_its_client_when_it_ends(
    mongo_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOM_URI", mongo_uri)

    async def use() -> Any:
        client = await lm.get_async_local_db_client()
        await client.admin.command("ping")
        return client

    first, second = asyncio.run(use()), asyncio.run(use())
    assert first is not second
    assert first._closed
    assert second._closed


async def test_tasks_increment_a_counter_of_a_shared_object() -> None:
    user = User(name="Ann")
    await user.persist()

    async def work() -> None:
        for _ in range(50):
            user.visits += 1
            await user.persist()

    await asyncio.gather(*(work() for _ in range(20)))
    assert user.visits == 1000
    assert (await stored(user))["visits"] == 1000


async def test_an_edit_during_a_save_is_kept() -> None:
    user = User(name="Ann")
    await user.persist()
    user.age = 1
    persisting = asyncio.create_task(user.persist())
    await asyncio.sleep(0)
    user.name = "Bea"
    await persisting
    assert (user.name, user.age) == ("Bea", 1)
    assert await user.persist() is True
    assert (await stored(user))["name"] == "Bea"


async def test_concurrent_bulks_of_the_same_objects_increment_once() -> None:
    items = [User(name=f"n{n}") for n in range(20)]
    await User.persist_many(items)

    async def work(order: int) -> None:
        for _ in range(5):
            for item in items:
                item.visits += 1
            await User.persist_many(items[::order])

    await asyncio.gather(*(work(order) for order in (1, -1, 1, -1)))
    assert {item.visits for item in await User.filter().load_many()} == {20}
    assert {item.visits for item in items} == {20}
