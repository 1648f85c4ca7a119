"""Many tasks and threads that insert the documents of the same natural keys at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator
from functools import partial
from typing import Any, TypeVar

import pytest
from pydantic import Field
from pymongo import MongoClient
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

import loom_async as lm
import loom_sync
from tests.worlds.failing_server import Client, fail
from tests.worlds.lost_replies import (
    Connection,
    connected,
    cut_before_reply,
    open_connection,
    wait_until,
    wait_until_reachable,
)
from tests.worlds.test_threads import in_threads

R = TypeVar("R")
KEYS, TASKS = 5, 100
DATABASE = "worlds_natural_keys"


@lm.declare_persist_db("keys", "users", index=[lm.Index("email", unique=True)])
class User(lm.Persistable):
    email: lm.StrLower
    name: str = "new"
    visits: lm.IncrCounter = 0
    log: list[int] = Field(default_factory=list)


@loom_sync.declare_persist_db("keys", "users", index=[loom_sync.Index("email", unique=True)])
class SyncUser(loom_sync.Persistable):
    email: loom_sync.StrLower
    visits: loom_sync.IncrCounter = 0


@lm.declare_persist_db("keys", "pets", index=[lm.Index("name", unique=True)], discriminator="kind")
class Pet(lm.PersistableBase):
    name: str


class Dog(Pet):
    visits: lm.IncrCounter = 0


@pytest.fixture
def sync_database(mongo_uri: str) -> Iterator[None]:
    with loom_sync.connect(mongo_uri) as client, loom_sync.using(database=DATABASE):
        yield
        client.drop_database(DATABASE)


@pytest.fixture
async def connection(mongo_uri: str) -> AsyncIterator[Connection]:
    async with open_connection(mongo_uri, DATABASE) as opened:
        yield opened


async def results(calls: Iterable[Awaitable[R]]) -> list[R]:
    return await asyncio.gather(*calls)


async def test_get_or_create_creates_one_object_for_each_key(db: str) -> None:
    async def work(task: int) -> tuple[User, bool]:
        return await User.get_or_create({"email": f"{task % KEYS}"}, {"name": f"{task}"})

    found = await results(map(work, range(TASKS)))
    assert sum(is_new for _, is_new in found) == KEYS
    assert await User.filter().count() == KEYS
    for number in range(KEYS):
        assert len({str(user.id) for user, _ in found[number::KEYS]}) == 1
        assert len({user.name for user, _ in found[number::KEYS]}) == 1


async def test_upserts_of_one_key_all_count(db: str) -> None:
    async def work(task: int) -> None:
        query = User.filter(lm.fld["email"] == f"{task % KEYS}")
        change: dict[str, Any] = {"$inc": {"visits": 1}, "$push": {"log": task}}
        if task % 2:
            assert await query.find_one_and_update(change, upsert=True) is not None
        else:
            assert (await query.update(change, upsert=True)).matched in (0, 1)

    await results(map(work, range(TASKS)))
    users = await User.filter().sort("email").load_many()
    assert [user.visits for user in users] == [TASKS // KEYS] * KEYS
    assert sorted(task for user in users for task in user.log) == list(range(TASKS))


async def test_upserts_of_a_subclass_all_count(db: str) -> None:
    """The condition on the tag keeps the server from repeating the upsert itself."""

    async def work(task: int) -> None:
        query = Dog.filter(lm.fld["name"] == f"{task % KEYS}")
        assert await query.find_one_and_update({"$inc": {"visits": 1}}, upsert=True)

    await results(map(work, range(TASKS)))
    assert [dog.visits for dog in await Dog.filter().load_many()] == [TASKS // KEYS] * KEYS


async def test_each_job_is_taken_by_one_task(db: str) -> None:
    await User.persist_many([User(email=f"{number}") for number in range(TASKS // 2)])

    async def take(task: int) -> Any:
        query = User.filter(lm.fld["name"] == "new")
        if task % 2:
            return await query.find_one_and_delete()
        return await query.sort("email").find_one_and_update({"name": f"{task}"})

    taken = [user.email for user in await results(map(take, range(TASKS))) if user is not None]
    assert sorted(taken) == sorted(f"{number}" for number in range(TASKS // 2))


async def test_transactions_create_one_object(db: str) -> None:
    async def create() -> bool:
        _, is_new = await User.get_or_create({"email": "a"})
        return is_new

    created = await results(lm.in_transaction(create) for _ in range(10))
    assert sum(created) == 1
    assert await User.filter().count() == 1


@pytest.mark.usefixtures("sync_database")
def test_threads_create_one_object_for_each_key() -> None:
    found = in_threads(
        *(partial(SyncUser.get_or_create, {"email": f"{n % KEYS}"}) for n in range(20))
    )
    assert sum(is_new for _, is_new in found) == KEYS
    assert SyncUser.filter().count() == KEYS


@pytest.mark.usefixtures("sync_database")
def test_upserts_of_threads_all_count() -> None:
    query = SyncUser.filter(loom_sync.fld["email"] == "a")
    change = {"$inc": {"visits": 1}}
    found = in_threads(
        *(partial(query.find_one_and_update, change, upsert=True) for _ in range(20))
    )
    assert sorted(user.visits for user in found if user is not None) == list(range(1, 21))


def lost_race(**key: Any) -> dict[str, Any]:
    """Return the server's error for a document that another writer has inserted."""
    info = {"keyPattern": dict.fromkeys(key, 1), "keyValue": key}
    return {"errorCode": 11000, "errorExtraInfo": info}


@pytest.mark.parametrize("command", ["findAndModify", "update"])
async def test_an_upsert_is_repeated_while_it_loses_races(failing: Client, command: str) -> None:
    await Pet.filter().delete()
    query = Dog.filter(lm.fld["name"] == "a")
    call: Any = query.update if command == "update" else query.find_one_and_update

    async def increment() -> None:
        await call({"$inc": {"visits": 1}}, upsert=True)

    await fail(failing, command, lost_race(name="a"), 3)
    await increment()
    await fail(failing, command, lost_race(name="b"), 1)
    with pytest.raises(lm.DuplicateKey):
        await increment()
    await fail(failing, command, lost_race(tag="a"), 1)
    with pytest.raises(lm.DuplicateKey):
        await increment()
    await fail(failing, command, lost_race(name="a"), 1_000)
    with pytest.raises(lm.DuplicateKey):
        await increment()
    assert [dog.visits for dog in await Dog.filter().load_many()] == [1]


async def test_get_or_create_repeats_while_it_loses_races(failing: Client) -> None:
    await User.filter().delete()
    await fail(failing, "insert", lost_race(email="a"), 3)
    assert (await User.get_or_create({"email": "a"}))[1] is True
    await fail(failing, "insert", lost_race(email="b"), 1_000)
    with pytest.raises(lm.DuplicateKey):
        await User.get_or_create({"email": "b"})
    await fail(failing, "insert", lost_race(name="new"), 1)
    with pytest.raises(lm.DuplicateKey):
        await User.get_or_create({"email": "c"})
    await failing.admin.command("configureFailPoint", "failCommand", mode="off")
    assert await User.filter().count() == 1


@pytest.mark.parametrize("verb", ["update", "delete"])
async def test_a_lost_reply_does_not_repeat_the_change(connection: Connection, verb: str) -> None:
    """The connection breaks before the reply; the object has what the one change made of it."""
    async with connected(connection, 1):
        await User.persist_many([User(email="a"), User(email="b")])
        users = connection.direct[DATABASE]["users"]
        query = User.filter().sort("email")
        connection.proxy.hold_replies()
        increment = partial(query.find_one_and_update, {"$inc": {"visits": 1}})
        call: Any = increment if verb == "update" else query.find_one_and_delete
        task = asyncio.ensure_future(call())

        async def is_stored() -> bool:
            return not await users.count_documents({"email": "a", "visits": 0})

        await wait_until(is_stored)
        connection.proxy.cut()
        connection.proxy.restore()
        connection.proxy.thaw()
        found = await task
        assert found.email == "a"
        if verb == "update":
            assert found.visits == 1
            assert sorted([user.visits for user in await User.filter().load_many()]) == [0, 1]
        else:
            assert [user.email for user in await User.filter().load_many()] == ["b"]


@pytest.mark.parametrize("ordered", [True, False])
async def test_batches_of_the_same_keys_all_count(db: str, ordered: bool) -> None:
    async def work(task: int) -> list[User]:
        users = [User(email=f"{number}", visits=1, log=[task]) for number in range(KEYS)]
        await User.persist_many(users, ordered=ordered, match_on=["email"])
        return users

    batches = await results(map(work, range(20)))
    stored = {user.email: user for user in await User.filter().load_many()}
    assert [stored[f"{number}"].visits for number in range(KEYS)] == [20] * KEYS
    for users in batches:
        assert [user.id for user in users] == [stored[user.email].id for user in users]


@pytest.mark.usefixtures("sync_database")
def test_batches_of_threads_all_count() -> None:
    def work() -> None:
        users = [SyncUser(email=f"{number}", visits=1) for number in range(KEYS)]
        SyncUser.persist_many(users, match_on=["email"])

    in_threads(*[work] * 10)
    assert [user.visits for user in SyncUser.filter().load_many()] == [10] * KEYS


@pytest.mark.parametrize("verb", ["persist_many", "persist"])
async def test_an_upsert_whose_reply_was_lost_is_made_once(
    connection: Connection, verb: str
) -> None:
    """The next call of either kind settles it: the counters are added once."""
    async with connected(connection, 1):
        await User(email="a", visits=5).persist()
        users = [User(email="a", visits=1), User(email="b", visits=1)]
        collection = connection.direct[DATABASE]["users"]

        async def is_stored() -> bool:
            return await collection.count_documents({"email": "b"}) == 1

        store = partial(User.persist_many, users, match_on=["email"])
        (failure,) = await cut_before_reply(connection.proxy, [store], is_stored)
        assert isinstance(failure, lm.LoomError)
        await wait_until_reachable()
        if verb == "persist":
            assert [await user.persist() for user in users] == [True, True]
        else:
            result = await User.persist_many(users, match_on=["email"])
            assert result == lm.PersistResult(0, 2, 0)
        assert [user.visits for user in users] == [6, 1]
        assert await User.persist_many(users, match_on=["email"]) == lm.PersistResult(0, 0, 2)
        stored = await User.filter().sort("email").load_many()
        assert stored == users


class _Remover(CommandListener):
    """Deletes a document when the server has refused its duplicate."""

    def __init__(self, uri: str, name: str) -> None:
        self._uri = uri
        self._query = {"name": name}
        self.refused = 0

    def started(self, event: CommandStartedEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass

    def succeeded(self, event: CommandSucceededEvent) -> None:
        if event.command_name == "update" and "writeErrors" in event.reply:
            self.refused += 1
            with MongoClient[dict[str, Any]](self._uri) as client:
                client[DATABASE]["pets"].delete_one(self._query)


@pytest.mark.parametrize("ordered", [True, False])
async def test_an_upsert_of_a_batch_is_repeated_after_a_lost_race(
    connection: Connection, mongo_uri: str, ordered: bool
) -> None:
    """Its key is taken by a document that it does not match, and that is gone the next time."""
    listener = _Remover(mongo_uri, "b")
    async with lm.connect(mongo_uri, event_listeners=[listener]):
        await Pet(name="b").persist()
        dogs = [Dog(name=name, visits=1) for name in "abc"]
        result = await Pet.persist_many(dogs, ordered=ordered, match_on=["name"])
        assert result == lm.PersistResult(3, 0, 0)
        assert listener.refused == 1
        assert await Dog.filter().sort("name").load_many() == dogs


@pytest.mark.parametrize("ordered", [True, False])
async def test_a_key_of_another_class_fails_in_the_end(db: str, ordered: bool) -> None:
    await Pet(name="b").persist()
    dogs = [Dog(name=name, visits=1) for name in "abc"]
    with pytest.raises(lm.BulkError) as caught:
        await Pet.persist_many(dogs, ordered=ordered, match_on=["name"])
    assert [entry.index for entry in caught.value.entries] == [1]
    assert caught.value.inserted == (1 if ordered else 2)
    assert await Dog.filter().count() == (1 if ordered else 2)
