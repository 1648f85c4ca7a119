"""Servers that are unreachable or do not reply: operations raise one clear error in time."""

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
    ProxiedServer,
    connect_proxy,
    delete_in_transaction,
    expect_failure,
    increment,
    increment_many,
    load,
    load_many,
    rename,
)
from tests.faults.leftovers import PoolWatch, observe
from tests.faults.replica_set import ReplicaSet

DATABASE = f"faults_{__name__.replace('.', '_')}"
OPERATIONS = [load, load_many, rename, increment, increment_many, delete_in_transaction]


@pytest.fixture
async def proxied_server(mongo_uri: str) -> AsyncIterator[ProxiedServer]:
    """A proxy to the server, and its URI."""
    async with connect_proxy(mongo_uri, DATABASE) as server:
        yield server


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_a_network_that_drops_all_packets(
    proxied_server: ProxiedServer, operation: Operation
) -> None:
    proxy, uri = proxied_server
    async with lm.connect(uri, timeoutMS=int(LIMIT * 1000)):
        await (counter := Counter()).persist()
        proxy.freeze()
        error = await expect_failure(operation, counter, LIMIT)
        assert isinstance(error, lm.OperationTimeout | lm.TransactionAborted)
        proxy.thaw()


@pytest.mark.parametrize("operation", [load, increment, delete_in_transaction])
async def test_connections_that_are_cut(
    proxied_server: ProxiedServer, operation: Operation
) -> None:
    """The operation is retried once; then server selection waits as long as configured."""
    proxy, uri = proxied_server
    with lm.config_context(server_timeout=LIMIT):
        async with lm.connect(uri):
            counter, other = Counter(), Counter()
            await Counter.persist_many([counter, other])
            proxy.cut()
            error = await expect_failure(operation, counter, LIMIT)
            assert isinstance(error, lm.ConnectionFailed | lm.TransactionAborted)
            # Now the client knows that the server is unreachable; the time limit is the same.
            again = await expect_failure(rename, other, LIMIT)
            assert isinstance(again, lm.ConnectionFailed)
            proxy.restore()
            assert (
                await Counter.from_id(counter.id) is not None or operation is delete_in_transaction
            )


async def test_short_interruptions_raise_no_error(proxied_server: ProxiedServer) -> None:
    proxy, uri = proxied_server
    async with lm.connect(uri):
        await (counter := Counter()).persist()
        for _ in range(3):
            proxy.cut()
            proxy.restore()
            await increment(counter)
            proxy.cut()
            proxy.restore()
            await rename(counter)
        assert (await counter.reload()).count == 3


async def test_no_free_connection_in_the_pool(mongo_uri: str) -> None:
    """Tasks that get no connection raise OperationTimeout; nothing is left open."""
    watch = PoolWatch()
    options = {"maxPoolSize": 1, "waitQueueTimeoutMS": 100}
    async with lm.connect(mongo_uri, event_listeners=[watch], **options) as client:
        with lm.using(database=DATABASE), observe(mongo_uri, watch) as observer:
            await Counter.persist_many([Counter(count=n) for n in range(10)])
            before = observer.open_resources()
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
            assert await _concurrency.in_thread(observer.wait_for, before) == before
            assert watch.maximum == 1
        await client.drop_database(DATABASE)


async def test_a_refused_write_has_a_known_outcome(proxied_server: ProxiedServer) -> None:
    _, uri = proxied_server
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


async def test_a_primary_that_steps_down(replica_set: ReplicaSet) -> None:
    """A write that the primary could not confirm is confirmed by the next primary."""
    async with lm.connect(replica_set.uri, heartbeatFrequencyMS=500) as client:
        with lm.using(database=DATABASE):
            await (counter := Counter()).persist()
            failure = {"writeConcernError": {"code": 11602, "errmsg": "stepped down"}}
            for operation in (rename, increment):
                with replica_set.failing("findAndModify", failure, mode={"times": 1}):
                    await operation(counter)
            assert (await counter.reload()).count == 1
        await client.drop_database(DATABASE)


async def test_the_reply_to_a_commit_is_lost(replica_set: ReplicaSet) -> None:
    """The outcome of the transaction is unknown: its increment is not sent again."""
    async with lm.connect(replica_set.uri) as client:
        with lm.using(database=DATABASE), lm.config_context(transaction_timeout=0.2):
            await (counter := Counter()).persist()
            counter.count += 1
            lost_replies = replica_set.failing("commitTransaction", {"closeConnection": True})
            with lost_replies, pytest.raises(lm.ConnectionFailed):
                await persist_in_transaction(counter)
            # The transaction is still open on the server, which would abort it after a minute.
            await client.admin.command("killAllSessions", [])
            with pytest.raises(lm.OutcomeUnknown):
                await counter.persist()
            await counter.reload()
            await increment(counter)
        await client.drop_database(DATABASE)


async def persist_in_transaction(counter: Counter) -> None:
    async with lm.transaction():
        await counter.persist()
