# Generated from tests/faults/test_lost_replies.py by `nox -s sync`: edit that file.
"""Writes of which the server tells nothing: none happens twice, none goes over another's."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from pymongo import MongoClient

import loom_sync as lm
from loom_sync import _concurrency
from tests.faults.proxy import Proxy
from tests.faults.replica_set import until
from tests.faults.sync.counters import (
    LIMIT,
    Counter,
    Through,
    failure,
    increment,
    load,
    proxied,
    rename,
    store_many,
)
from tests.sync._concurrency import gathered

DATABASE = f"faults_{__name__.replace('.', '_')}"


@pytest.fixture
def through(mongo_uri: str) -> Iterator[Through]:
    """A proxy before the server, and the URI that leads through it."""
    with proxied(mongo_uri, DATABASE) as opened:
        yield opened


def test_a_reply_is_lost(through: Through) -> None:
    """Persisted again, the write happens unless it has happened: it counts once."""
    proxy, uri = through
    with lm.connect(uri, timeoutMS=int(LIMIT * 1000)):
        (counter := Counter()).persist()
        counter.log.append("once")
        proxy.hold_replies()
        failure(increment, counter, LIMIT)
        proxy.thaw()
        load(other := Counter(count=5))
        proxy.hold_replies()
        failure(rename, other, LIMIT)
        proxy.thaw()
        # A copy does not know the command, and the server has no other name for it.
        with pytest.raises(lm.OutcomeUnknown):
            counter.model_copy().persist()
        assert counter.persist()
        assert (counter.count, counter.log) == (1, ["once"])
        assert not counter.persist()
        increment(counter)
        assert other.persist()
        increment(other)
        assert counter.reload().count == 2
        assert other.reload().count == 6
        assert Counter.filter().count() == 2


def test_a_reply_to_many_is_lost(through: Through) -> None:
    proxy, uri = through
    with lm.connect(uri, timeoutMS=int(LIMIT * 1000)):
        (old := Counter()).persist()
        old.count += 1
        new = Counter(count=1)
        for counter in (new, old):
            proxy.hold_replies()
            failure(store_many, counter, LIMIT)
            proxy.thaw()
            load(counter)
        assert Counter.persist_many([new, old]) == lm.PersistResult(1, 1, 0)
        assert Counter.persist_many([new, old]) == lm.PersistResult(0, 0, 2)
        assert [counter.reload().count for counter in (new, old)] == [1, 1]
        assert Counter.filter().count() == 2


def test_a_change_is_taken_back_while_its_reply_is_lost(through: Through) -> None:
    """What the object holds is stored in the end, though nothing differs from what was loaded."""
    proxy, uri = through
    with lm.connect(uri, timeoutMS=int(LIMIT * 1000)):
        (counter := Counter(log=["a"])).persist()
        counter.log.append("b")
        proxy.hold_replies()
        failure(rename, counter, LIMIT)
        counter.count += 1
        proxy.thaw()
        counter.name, counter.log, counter.count = "", ["a"], 0
        counter.persist()
        stored = Counter.from_id(counter.id)
        assert stored is not None
        assert (stored.name, stored.log, stored.count) == ("", ["a"], 0)


def test_no_server_after_a_lost_reply(through: Through) -> None:
    """That the second attempt is not sent says nothing of the first."""
    proxy, uri = through
    with lm.config_context(server_timeout=LIMIT), lm.connect(uri, timeoutMS=int(LIMIT * 1000)):
        Counter().persist()
        new = Counter(count=1)
        proxy.hold_replies()
        failure(Counter.persist, new, LIMIT)
        proxy.cut()
        failure(Counter.persist, new, LIMIT)
        proxy.mend()
        proxy.thaw()
        assert new.persist()
        assert new.reload().count == 1
        assert Counter.filter().count() == 2


def write_meanwhile(
    mongo_uri: str, proxy: Proxy, theirs: dict[str, Any], *, count: int = 1
) -> None:
    """Wait for new names, let another one write to the first, and break the connections."""
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        counters = client[DATABASE]["counters"]
        until(lambda: counters.count_documents({"name": "new"}) == count)
        if theirs:
            counters.update_one({}, {"$set": theirs})
    proxy.cut()
    proxy.mend()
    proxy.thaw()


def rename_unheard(through: Through, mongo_uri: str, theirs: dict[str, Any]) -> Counter:
    """Return a counter whose new name was stored, while another one wrote as well."""
    proxy, uri = through
    with lm.connect(uri):
        (counter := Counter()).persist()
        proxy.hold_replies()

        def renaming() -> None:
            rename(counter)

        def others() -> None:
            _concurrency.in_thread(write_meanwhile, mongo_uri, proxy, theirs)

        gathered(renaming, others)
    return counter


@pytest.mark.parametrize("theirs", [{}, {"log": ["theirs"]}])
def test_a_set_that_has_happened_is_no_error(
    through: Through, mongo_uri: str, theirs: dict[str, Any]
) -> None:
    counter = rename_unheard(through, mongo_uri, theirs)
    assert counter.name == "new"
    assert counter.persist() is False
    assert counter.reload().log == theirs.get("log", [])


def test_nothing_is_set_over_what_another_has_set(through: Through, mongo_uri: str) -> None:
    """The set has happened before that, and does not happen again."""
    counter = rename_unheard(through, mongo_uri, {"name": "theirs"})
    assert counter.name == "new"
    assert counter.reload().name == "theirs"


def test_many_are_stored_at_once(through: Through, mongo_uri: str) -> None:
    """Each of them is as if it had been alone: one has met another writer, the others have not."""
    proxy, uri = through
    count = 20
    theirs = {"name": "theirs", "log": ["theirs"]}
    with lm.connect(uri, minPoolSize=count):
        counters = [Counter() for _ in range(count)]
        Counter.persist_many(counters)
        # Connections are made while they can be, two of them by the driver's monitors.
        _concurrency.in_thread(until, lambda: proxy.connections >= count + 2)
        proxy.hold_replies()

        def others() -> None:
            write = partial(write_meanwhile, mongo_uri, proxy, theirs, count=count)
            _concurrency.in_thread(write)

        gathered(*(partial(rename, counter) for counter in counters[::-1]), others)
        assert {counter.name for counter in counters} == {"new"}
        stored = {counter.id: counter.name for counter in Counter.filter().load_many()}
        assert stored == {counter.id: counter.name for counter in counters} | {
            counters[0].id: "theirs"
        }
