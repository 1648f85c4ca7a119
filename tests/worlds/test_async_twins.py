"""The `_async` twins of `loom_sync`: blocking and awaited calls on the same objects."""

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
def server(mongo_uri: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LOOM_URI", mongo_uri)
    with lm.using(database="test_worlds"):
        yield
        lm.get_local_db_client().drop_database("test_worlds")
    lm.close()


def test_each_package_returns_its_own_kind_of_client() -> None:
    async def both() -> tuple[Any, Any]:
        return lm.get_local_db_client(), await lm.get_async_local_db_client()

    sync_client, async_client = asyncio.run(both())
    assert isinstance(sync_client, MongoClient)
    assert isinstance(async_client, AsyncMongoClient)


def test_one_object_used_by_a_thread_and_by_a_task() -> None:
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


def test_one_object_used_by_threads_and_tasks_concurrently() -> None:
    user = User(name="Ann")
    user.persist()
    others = [User.from_id(user.id) for _ in range(8)]

    def increment(copy: User) -> None:
        for _ in range(20):
            copy.visits += 1
            copy.persist()

    async def increment_async(copy: User) -> None:
        for _ in range(20):
            copy.visits += 1
            await copy.persist_async()

    async def main() -> None:
        calls = [
            asyncio.to_thread(increment, copy) if n % 2 else increment_async(copy)
            for n, copy in enumerate(others)
            if copy is not None
        ]
        # The same object too, whose lock is passed between threads and the event loop.
        await asyncio.gather(*calls, *(user.persist_async() for _ in range(5)))
        await asyncio.gather(
            *(asyncio.to_thread(user.reload) for _ in range(5)),
            *(user.reload_async() for _ in range(5)),
        )

    asyncio.run(main())
    assert user.visits == 160


def test_a_cancelled_lock_request_does_not_block_the_next() -> None:
    user = User(name="Ann")
    user.persist()

    async def main() -> None:
        is_held, release = threading.Event(), threading.Event()

        def hold() -> None:
            from loom_sync._concurrency import ObjectLock

            with ObjectLock(user):
                is_held.set()
                release.wait(20)

        holding = asyncio.create_task(asyncio.to_thread(hold))
        await asyncio.to_thread(is_held.wait, 20)
        first, second = (asyncio.create_task(user.reload_async()) for _ in range(2))
        await asyncio.sleep(0.05)
        first.cancel()
        await asyncio.sleep(0.05)
        assert not second.done()
        release.set()
        assert await second is user
        assert first.cancelled()
        await holding

    asyncio.run(main())
    assert user.reload() is user


def test_a_blocking_call_that_would_deadlock_its_event_loop_raises() -> None:
    user = User(name="Ann")
    user.persist()
    user.age = 1

    async def main() -> None:
        started = asyncio.create_task(user.persist_async())
        await asyncio.sleep(0)
        with pytest.raises(lm.ObjectInUse, match="has begun in this thread"):
            user.persist()
        with pytest.raises(lm.ObjectInUse):
            User.persist_many([User(name="Bea"), user])
        assert await started is True
        assert user.persist() is False

    asyncio.run(main())
    assert [(u.name, u.age) for u in User.filter().load_many()] == [("Ann", 1)]


def test_each_twin_returns_what_its_method_returns() -> None:
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


def test_twins_load_objects_of_the_same_class() -> None:
    User(name="Ann").persist()

    async def main() -> None:
        (user,) = await User.filter().load_many_async()
        assert type(user) is User
        user.age = 7
        assert user.persist() is True

    asyncio.run(main())
    assert User.filter().load_docs()[0]["age"] == 7


def test_a_block_applies_to_both_packages(mongo_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_connect_block_provides_both_kinds_of_client(
    mongo_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOM_URI", "mongodb://127.0.0.1:1/")

    async def main() -> None:
        with lm.connect(mongo_uri) as sync_client:
            assert lm.get_local_db_client() is sync_client
            other = await lm.get_async_local_db_client()
            assert (await other.admin.command("ping"))["ok"] == 1
        async with loom_async.connect(mongo_uri) as async_client:
            assert await lm.get_async_local_db_client() is async_client
            assert lm.get_local_db_client().admin.command("ping")["ok"] == 1
        with MongoClient[dict[str, Any]](mongo_uri) as given, lm.using(client=given):
            assert lm.get_local_db_client() is given
            with pytest.raises(lm.ConfigurationError, match="AsyncMongoClient"):
                await lm.get_async_local_db_client()
        await loom_async.close()

    asyncio.run(main())
    lm.close()
    monkeypatch.setenv("LOOM_URI", mongo_uri)


def test_a_given_client_serves_only_its_own_package(mongo_uri: str) -> None:
    with MongoClient[dict[str, Any]](mongo_uri) as client, lm.using(client=client):
        User(name="Ann").persist()
        with pytest.raises(lm.ConfigurationError, match=r"AsyncMongoClient, which .* MongoClient"):
            asyncio.run(User.filter().count_async())


def test_nested_blocks_with_a_client_of_each_kind(
    mongo_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOM_URI", "mongodb://127.0.0.1:1/")

    async def main() -> None:
        async with AsyncMongoClient[dict[str, Any]](mongo_uri) as async_client:
            with lm.using(client=sync_client), loom_async.using(client=async_client):
                User(name="Ann").persist()
                assert await User.filter().count_async() == User.filter().count() == 1
            # A block with a client hides an outer block with a URI.
            async with loom_async.connect(mongo_uri):
                with loom_async.using(client=async_client), pytest.raises(lm.ConfigurationError):
                    User.filter().count()

    with MongoClient[dict[str, Any]](mongo_uri) as sync_client:
        asyncio.run(main())
    monkeypatch.setenv("LOOM_URI", mongo_uri)
