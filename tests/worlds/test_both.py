"""One model in both worlds: blocking calls and the `_async` twins on the same objects."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient

import loom_async
import loom_sync as lm

fld = lm.fld


@lm.declare_persist_db("worlds_none", "users")
class User(lm.Persistable):
    name: str
    age: int = 0
    visits: lm.IncrCounter = 0
    tags: list[str] = []


class Names(lm.PersistableBase):
    name: str


@pytest.fixture(autouse=True)
def place(mongo_uri: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LOOM_URI", mongo_uri)
    with lm.using(database="test_worlds"):
        yield
        lm.get_local_db_client().drop_database("test_worlds")
    lm.close()


def test_the_clients_are_four() -> None:
    async def both() -> tuple[Any, Any]:
        return lm.get_local_db_client(), await lm.get_async_local_db_client()

    blocking, waiting = asyncio.run(both())
    assert isinstance(blocking, MongoClient)
    assert isinstance(waiting, AsyncMongoClient)


def test_one_object_from_a_thread_and_from_a_task() -> None:
    user = User(name="Ann")

    async def main() -> None:
        assert await user.persist_async() is True
        user.age = 1
        assert await asyncio.to_thread(user.persist) is True
        assert await user.persist_async() is False
        user.tags.append("x")
        assert await user.persist_async() is True
        assert user.persist() is False

    asyncio.run(main())
    found = User.from_id(user.id)
    assert found == user
    assert (user.age, user.tags) == (1, ["x"])


def test_one_object_at_once_from_threads_and_tasks() -> None:
    user = User(name="Ann")
    user.persist()
    others = [User.from_id(user.id) for _ in range(8)]

    def block(mine: User) -> None:
        for _ in range(20):
            mine.visits += 1
            mine.persist()

    async def wait(mine: User) -> None:
        for _ in range(20):
            mine.visits += 1
            await mine.persist_async()

    async def main() -> None:
        calls = [
            asyncio.to_thread(block, mine) if n % 2 else wait(mine)
            for n, mine in enumerate(others)
            if mine is not None
        ]
        # The same object too: its turns go back and forth between threads and the loop.
        await asyncio.gather(*calls, *(user.persist_async() for _ in range(5)))
        await asyncio.gather(
            *(asyncio.to_thread(user.reload) for _ in range(5)),
            *(user.reload_async() for _ in range(5)),
        )

    asyncio.run(main())
    assert user.visits == 160


def test_a_task_that_gives_up_leaves_the_turn_to_others() -> None:
    user = User(name="Ann")
    user.persist()

    async def main() -> None:
        held, free = threading.Event(), threading.Event()

        def hold() -> None:
            from loom_sync._concurrency import ObjectLock

            with ObjectLock(user):
                held.set()
                free.wait(20)

        holding = asyncio.create_task(asyncio.to_thread(hold))
        await asyncio.to_thread(held.wait, 20)
        first, second = (asyncio.create_task(user.reload_async()) for _ in range(2))
        await asyncio.sleep(0.05)
        first.cancel()
        await asyncio.sleep(0.05)
        assert not second.done()
        free.set()
        assert await second is user
        assert first.cancelled()
        await holding

    asyncio.run(main())
    assert user.reload() is user


def test_blocking_the_loop_that_has_begun_is_refused() -> None:
    user = User(name="Ann")
    user.persist()
    user.age = 1

    async def main() -> None:
        begun = asyncio.create_task(user.persist_async())
        await asyncio.sleep(0)
        with pytest.raises(lm.ObjectInUse, match="has begun in this thread"):
            user.persist()
        with pytest.raises(lm.ObjectInUse):
            User.persist_many([User(name="Bea"), user])
        assert await begun is True
        assert user.persist() is False

    asyncio.run(main())
    assert [(u.name, u.age) for u in User.filter().load_many()] == [("Ann", 1)]


def test_every_twin_gives_what_its_method_gives() -> None:
    result = User.persist_many([User(name=name, age=age) for age, name in enumerate("abcde")])
    assert result.inserted == 5
    query = User.filter(lambda u: u.age >= 1).sort("age")
    rows = query.project("name").sort("name")

    async def main() -> None:
        assert await query.load_many_async() == query.load_many()
        assert await query.load_one_async() == query.load_one()
        assert await query.load_latest_async(2) == query.load_latest(2)
        assert await query.load_top_async() == query.load_top()
        assert await query.load_docs_async() == query.load_docs()
        assert [user async for user in query.stream_async()] == list(query.stream())
        assert [d async for d in query.load_aggregate_async()] == list(query.load_aggregate())
        assert await query.count_async() == query.count() == 4
        assert await query.exists_async() is query.exists() is True
        assert await query.distinct_async("name") == query.distinct("name")
        assert (await query.explain_async()).keys() == query.explain().keys()
        assert await rows.load_many_async() == rows.load_many()
        assert await rows.load_one_async() == rows.load_one()
        assert [row async for row in rows.stream_async()] == list(rows.stream())
        assert await rows.into(Names).load_many_async() == rows.into(Names).load_many()
        grouped = User.filter().group_by().acc(n=lm.count())
        assert await grouped.load_many_async() == [{"_id": None, "n": 5}]
        assert await User.filter(fld["name"] == "a").update_async(age=9) == 1
        assert await User.filter(fld["age"] == 9).delete_async() == 1
        await rows.out_async("copies")
        await rows.merge_into_async("copies")
        assert await User.sync_indexes_async() == User.sync_indexes()
        more = await User.persist_many_async([User(name="f"), User(name="g")])
        assert more.inserted == 2
        found = await User.from_id_async(str((await User.filter().load_many_async())[0].id))
        assert found is not None
        assert await found.delete_async() is True
        assert await User.from_id_async(found.id) is None

    asyncio.run(main())
    assert User.filter().count() == 5


def test_objects_of_twins_are_of_the_same_class() -> None:
    User(name="Ann").persist()

    async def main() -> None:
        (user,) = await User.filter().load_many_async()
        assert type(user) is User
        user.age = 7
        assert user.persist() is True

    asyncio.run(main())
    assert User.filter().load_docs()[0]["age"] == 7


def test_a_block_holds_for_both_worlds(mongo_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOM_URI", "mongodb://127.0.0.1:1/")

    async def main() -> None:
        with lm.connect(mongo_uri):
            await User(name="Ann").persist_async()
            assert User.filter().count() == 1
        async with loom_async.connect(mongo_uri):
            assert User.filter().count() == 1
            with loom_async.using(database="test_worlds_2"):
                assert User.filter().count() == await User.filter().count_async() == 0
        await loom_async.close()

    asyncio.run(main())
    lm.close()
    monkeypatch.setenv("LOOM_URI", mongo_uri)


def test_a_block_gives_a_client_of_each_kind(
    mongo_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOM_URI", "mongodb://127.0.0.1:1/")

    async def main() -> None:
        with lm.connect(mongo_uri) as blocking:
            assert lm.get_local_db_client() is blocking
            other = await lm.get_async_local_db_client()
            assert (await other.admin.command("ping"))["ok"] == 1
        async with loom_async.connect(mongo_uri) as waiting:
            assert await lm.get_async_local_db_client() is waiting
            assert lm.get_local_db_client().admin.command("ping")["ok"] == 1
        with MongoClient[dict[str, Any]](mongo_uri) as given, lm.using(client=given):
            assert lm.get_local_db_client() is given
            with pytest.raises(lm.ConfigurationError, match="AsyncMongoClient"):
                await lm.get_async_local_db_client()
        await loom_async.close()

    asyncio.run(main())
    lm.close()
    monkeypatch.setenv("LOOM_URI", mongo_uri)


def test_a_given_client_serves_its_own_world_alone(mongo_uri: str) -> None:
    with MongoClient[dict[str, Any]](mongo_uri) as client, lm.using(client=client):
        User(name="Ann").persist()
        with pytest.raises(lm.ConfigurationError, match=r"AsyncMongoClient, which .* MongoClient"):
            asyncio.run(User.filter().count_async())


def test_a_client_of_each_kind(mongo_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOM_URI", "mongodb://127.0.0.1:1/")

    async def main() -> None:
        async with AsyncMongoClient[dict[str, Any]](mongo_uri) as waiting:
            with lm.using(client=blocking), loom_async.using(client=waiting):
                User(name="Ann").persist()
                assert await User.filter().count_async() == User.filter().count() == 1
            # A block by address is not looked for beyond one that was given a client.
            async with loom_async.connect(mongo_uri):
                with loom_async.using(client=waiting), pytest.raises(lm.ConfigurationError):
                    User.filter().count()

    with MongoClient[dict[str, Any]](mongo_uri) as blocking:
        asyncio.run(main())
    monkeypatch.setenv("LOOM_URI", mongo_uri)
