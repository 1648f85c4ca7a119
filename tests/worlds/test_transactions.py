"""Transactions with tasks, threads and both packages."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

import loom_async
import loom_sync as lm


@lm.declare_persist_db("worlds_none", "users")
class User(lm.Persistable):
    name: str
    seen: list[str] = []

    def before_persist(self) -> None:
        self.seen.append("hook")


class Aborted(Exception):
    pass


@pytest.fixture(autouse=True)
def server(mongo_uri: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LOOM_URI", mongo_uri)
    with lm.using(database="test_worlds_transactions"):
        yield
        lm.get_local_db_client().drop_database("test_worlds_transactions")
    lm.close()


def test_calls_of_the_other_package_raise() -> None:
    async def async_inside_sync() -> None:
        with pytest.raises(lm.TransactionError, match="other package"):
            await User(name="x").persist_async()

    with lm.transaction():
        User(name="y").persist()
        asyncio.run(async_inside_sync())

    async def sync_inside_async() -> None:
        async with loom_async.transaction():
            await User(name="a").persist_async()
            with pytest.raises(lm.TransactionError, match="other package"):
                await asyncio.to_thread(User(name="b").persist)

    asyncio.run(sync_inside_async())
    assert sorted(user.name for user in User.filter().load_many()) == ["a", "y"]


def test_a_task_that_outlives_the_transaction_raises() -> None:
    async def main() -> None:
        ended = asyncio.Event()

        async def persist_late() -> None:
            await ended.wait()
            await User(name="late").persist_async()

        async with loom_async.transaction():
            task = asyncio.create_task(persist_late())
            await User(name="in time").persist_async()
        ended.set()
        with pytest.raises(lm.TransactionError, match="has ended"):
            await task

    asyncio.run(main())
    assert User.filter().count() == 1


def test_tasks_started_in_a_transaction_belong_to_it() -> None:
    async def main() -> None:
        async with loom_async.transaction():
            async with asyncio.TaskGroup() as group:
                for n in range(20):
                    group.create_task(User(name=str(n)).persist_async())
            assert await User.filter().count_async() == 20
            raise Aborted

    with pytest.raises(Aborted):
        asyncio.run(main())
    assert User.filter().count() == 0


def test_a_new_thread_is_not_in_the_transaction() -> None:
    def insert() -> None:
        User(name="thread").persist()

    with pytest.raises(Aborted), lm.transaction():
        User(name="block").persist()
        thread = threading.Thread(target=insert)
        thread.start()
        thread.join()
        raise Aborted
    assert [user.name for user in User.filter().load_many()] == ["thread"]


def test_a_cancelled_transaction_is_aborted() -> None:
    user = User(name="Ann")

    async def block(written: asyncio.Event) -> None:
        async with loom_async.transaction():
            await user.persist_async()
            written.set()
            await asyncio.sleep(60)

    async def main() -> None:
        written = asyncio.Event()
        task = asyncio.create_task(block(written))
        await written.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        status = await (await lm.get_async_local_db_client()).admin.command("serverStatus")
        assert status["transactions"]["currentOpen"] == 0

    asyncio.run(main())
    assert user.created_at is None
    assert User.filter().count() == 0
    assert user.persist()


def test_a_cancelled_commit_is_complete_or_absent() -> None:
    """Whenever the block is cancelled, the object agrees with the database."""

    async def block(user: User) -> None:
        async with loom_async.transaction():
            await user.persist_async()

    async def main() -> None:
        for step in range(40):
            user = User(name=str(step))
            task = asyncio.create_task(block(user))
            await asyncio.sleep(step * 0.0002)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            is_stored = await User.from_id_async(user.id) is not None
            assert is_stored == (user.created_at is not None), step

    asyncio.run(main())


def test_twins_run_synchronous_hooks() -> None:
    user = User(name="Ann")
    asyncio.run(user.persist_async())
    assert user.persist()
    assert user.seen == ["hook", "hook"]


def test_blocking_calls_refuse_asynchronous_hooks() -> None:
    @lm.declare_persist_db("worlds_none", "hooked")
    class Hooked(lm.PersistableBase):
        async def before_persist(self) -> None:
            await asyncio.sleep(0)

    with pytest.raises(TypeError, match="is a coroutine function"):
        Hooked().persist()
    assert Hooked.filter().count() == 0
    assert asyncio.run(Hooked().persist_async())
