# Generated from tests/faults/test_limits.py by `nox -s sync`: edit that file.
"""A server that cannot be reached, or does not answer, ends in one clear error in time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import loom_sync as lm
from loom_sync import _concurrency
from tests.faults.leftovers import PoolWatch, observing
from tests.faults.replica_set import ReplicaSet
from tests.faults.sync.counters import (
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
from tests.sync._concurrency import together

DATABASE = f"faults_{__name__.replace('.', '_')}"
OPERATIONS = [load, load_many, rename, increment, increment_many, in_transaction]


@pytest.fixture
def through(mongo_uri: str) -> Iterator[Through]:
    """A proxy before the server, and the URI that leads through it."""
    with proxied(mongo_uri, DATABASE) as opened:
        yield opened


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_frozen_network(through: Through, operation: Operation) -> None:
    proxy, uri = through
    with lm.connect(uri, timeoutMS=int(LIMIT * 1000)):
        (counter := Counter()).persist()
        proxy.freeze()
        error = failure(operation, counter, LIMIT)
        assert isinstance(error, lm.OperationTimeout | lm.TransactionAborted)
        proxy.thaw()


@pytest.mark.parametrize("operation", [load, increment, in_transaction])
def test_a_network_that_is_cut(through: Through, operation: Operation) -> None:
    """What is not answered is asked once more; then the server is waited for, as configured."""
    proxy, uri = through
    with lm.config_context(server_timeout=LIMIT), lm.connect(uri):
        counter, other = Counter(), Counter()
        Counter.persist_many([counter, other])
        proxy.cut()
        error = failure(operation, counter, LIMIT)
        assert isinstance(error, lm.ConnectionFailed | lm.TransactionAborted)
        # Now the client knows that nobody is there, and the limit is the same.
        again = failure(rename, other, LIMIT)
        assert isinstance(again, lm.ConnectionFailed)
        proxy.mend()
        assert Counter.from_id(counter.id) is not None or operation is in_transaction


def test_a_short_cut_is_not_noticed(through: Through) -> None:
    proxy, uri = through
    with lm.connect(uri):
        (counter := Counter()).persist()
        for _ in range(3):
            proxy.cut()
            proxy.mend()
            increment(counter)
            proxy.cut()
            proxy.mend()
            rename(counter)
        assert counter.reload().count == 3


def test_no_connection_is_free(mongo_uri: str) -> None:
    """Tasks that wait for a connection in vain are told so; nothing stays behind."""
    watch = PoolWatch()
    options = {"maxPoolSize": 1, "waitQueueTimeoutMS": 100}
    with lm.connect(mongo_uri, event_listeners=[watch], **options) as client:
        with lm.using(database=DATABASE), observing(mongo_uri, watch) as observer:
            Counter.persist_many([Counter(count=n) for n in range(10)])
            before = observer.open()
            slow = lm.raw({"$where": "sleep(50) || true"})

            def count() -> object:
                try:
                    return len(Counter.filter(slow).load_many())
                except lm.LoomError as error:
                    return error

            results = together(*[count] * 8)
            errors = [result for result in results if result != 10]
            assert 1 <= len(errors) <= 7
            for error in errors:
                assert isinstance(error, lm.OperationTimeout)
                assert "maxPoolSize" in (error.hint or "")
            assert _concurrency.in_thread(observer.settled, before) == before
            assert watch.most == 1
        client.drop_database(DATABASE)


def test_a_refusal_leaves_no_doubt(through: Through) -> None:
    _, uri = through
    with lm.connect(uri) as client:
        (counter := Counter()).persist()
        validator = {"count": {"$lt": 2}}
        client[DATABASE].command("collMod", "counters", validator=validator)
        counter.count += 5
        with pytest.raises(lm.OperationFailed):
            counter.persist()
        with pytest.raises(lm.BulkError):
            Counter.persist_many([counter])
        counter.count -= 4
        counter.persist()
        assert counter.reload().count == 1


def test_a_primary_that_leaves(replica_set: ReplicaSet) -> None:
    """A write that it made and could not confirm, as it stepped down, is made by the next one."""
    with lm.connect(replica_set.uri, heartbeatFrequencyMS=500) as client:
        with lm.using(database=DATABASE):
            (counter := Counter()).persist()
            failure = {"writeConcernError": {"code": 11602, "errmsg": "stepped down"}}
            for operation in (rename, increment):
                with replica_set.failing("findAndModify", failure, mode={"times": 1}):
                    operation(counter)
            assert counter.reload().count == 1
        client.drop_database(DATABASE)


def test_a_commit_is_not_answered(replica_set: ReplicaSet) -> None:
    """Nobody knows whether the transaction has happened: its increment is not sent once more."""
    with lm.connect(replica_set.uri) as client:
        with lm.using(database=DATABASE), lm.config_context(transaction_timeout=0.2):
            (counter := Counter()).persist()
            counter.count += 1
            unheard = replica_set.failing("commitTransaction", {"closeConnection": True})
            with unheard, pytest.raises(lm.ConnectionFailed):
                persist_in_transaction(counter)
            # It is still open on the server, which would wait for its commit for a minute.
            client.admin.command("killAllSessions", [])
            with pytest.raises(lm.OutcomeUnknown):
                counter.persist()
            counter.reload()
            increment(counter)
        client.drop_database(DATABASE)


def persist_in_transaction(counter: Counter) -> None:
    with lm.transaction():
        counter.persist()
