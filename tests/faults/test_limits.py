"""A server that cannot be reached, or does not answer, ends in one clear error in time."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

import loom_async as lm
from loom_async import _concurrency
from tests.aio._concurrency import together
from tests.faults.counters import (
    LIMIT,
    Counter,
    Operation,
    Through,
    failure,
    in_transaction,
    increment,
    increment_many,
    load,
    load_many,
    proxied,
    rename,
)
from tests.faults.leftovers import PoolWatch, observing
from tests.faults.replica_set import ReplicaSet

DATABASE = f"faults_{__name__.replace('.', '_')}"
OPERATIONS = [load, load_many, rename, increment, increment_many, in_transaction]


@pytest.fixture
async def through(mongo_uri: str) -> AsyncIterator[Through]:
    """A proxy before the server, and the URI that leads through it."""
    async with proxied(mongo_uri, DATABASE) as opened:
        yield opened


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_a_frozen_network(through: Through, operation: Operation) -> None:
    proxy, uri = through
    async with lm.connect(uri, timeoutMS=int(LIMIT * 1000)):
        await (counter := Counter()).persist()
        proxy.freeze()
        error = await failure(operation, counter, LIMIT)
        assert isinstance(error, lm.OperationTimeout | lm.TransactionAborted)
        proxy.thaw()


@pytest.mark.parametrize("operation", [load, increment, in_transaction])
async def test_a_network_that_is_cut(through: Through, operation: Operation) -> None:
    """What is not answered is asked once more; then the server is waited for, as configured."""
    proxy, uri = through
    with lm.config_context(server_timeout=LIMIT):
        async with lm.connect(uri):
            counter, other = Counter(), Counter()
            await Counter.persist_many([counter, other])
            proxy.cut()
            error = await failure(operation, counter, LIMIT)
            assert isinstance(error, lm.ConnectionFailed | lm.TransactionAborted)
            # Now the client knows that nobody is there, and the limit is the same.
            again = await failure(rename, other, LIMIT)
            assert isinstance(again, lm.ConnectionFailed)
            proxy.mend()
            assert await Counter.from_id(counter.id) is not None or operation is in_transaction


async def test_a_short_cut_is_not_noticed(through: Through) -> None:
    proxy, uri = through
    async with lm.connect(uri):
        await (counter := Counter()).persist()
        for _ in range(3):
            proxy.cut()
            proxy.mend()
            await increment(counter)
            proxy.cut()
            proxy.mend()
            await rename(counter)
        assert (await counter.reload()).count == 3


async def test_no_connection_is_free(mongo_uri: str) -> None:
    """Tasks that wait for a connection in vain are told so; nothing stays behind."""
    watch = PoolWatch()
    options = {"maxPoolSize": 1, "waitQueueTimeoutMS": 100}
    async with lm.connect(mongo_uri, event_listeners=[watch], **options) as client:
        with lm.using(database=DATABASE), observing(mongo_uri, watch) as observer:
            await Counter.persist_many([Counter(count=n) for n in range(10)])
            before = observer.open()
            slow = lm.raw({"$where": "sleep(50) || true"})

            async def count() -> object:
                try:
                    return len(await Counter.filter(slow).load_many())
                except lm.LoomError as error:
                    return error

            results = await together(*[count] * 8)
            errors = [result for result in results if result != 10]
            assert 1 <= len(errors) <= 7
            for error in errors:
                assert isinstance(error, lm.OperationTimeout)
                assert "maxPoolSize" in (error.hint or "")
            assert await _concurrency.in_thread(observer.settled, before) == before
            assert watch.most == 1
        await client.drop_database(DATABASE)


async def test_a_refusal_leaves_no_doubt(through: Through) -> None:
    _, uri = through
    async with lm.connect(uri) as client:
        await (counter := Counter()).persist()
        validator = {"count": {"$lt": 2}}
        await client[DATABASE].command("collMod", "counters", validator=validator)
        counter.count += 5
        with pytest.raises(lm.OperationFailed):
            await counter.persist()
        with pytest.raises(lm.BulkError):
            await Counter.persist_many([counter])
        counter.count -= 4
        await counter.persist()
        assert (await counter.reload()).count == 1


async def test_a_primary_that_leaves(replica_set: ReplicaSet) -> None:
    """A write that it made and could not confirm, as it stepped down, is made by the next one."""
    async with lm.connect(replica_set.uri, heartbeatFrequencyMS=500) as client:
        with lm.using(database=DATABASE):
            await (counter := Counter()).persist()
            failure = {"writeConcernError": {"code": 11602, "errmsg": "stepped down"}}
            for operation in (rename, increment):
                with replica_set.failing("findAndModify", failure, mode={"times": 1}):
                    await operation(counter)
            assert (await counter.reload()).count == 1
        await client.drop_database(DATABASE)


async def test_a_commit_is_not_answered(replica_set: ReplicaSet) -> None:
    """Nobody knows whether the transaction has happened: its increment is not sent once more."""
    async with lm.connect(replica_set.uri) as client:
        with lm.using(database=DATABASE), lm.config_context(transaction_timeout=0.2):
            await (counter := Counter()).persist()
            counter.count += 1
            unheard = replica_set.failing("commitTransaction", {"closeConnection": True})
            with unheard, pytest.raises(lm.ConnectionFailed):
                await persist_in_transaction(counter)
            # It is still open on the server, which would wait for its commit for a minute.
            await client.admin.command("killAllSessions", [])
            with pytest.raises(lm.OutcomeUnknown):
                await counter.persist()
            await counter.reload()
            await increment(counter)
        await client.drop_database(DATABASE)


async def persist_in_transaction(counter: Counter) -> None:
    async with lm.transaction():
        await counter.persist()
