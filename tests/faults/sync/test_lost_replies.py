# Generated from tests/faults/test_lost_replies.py by `nox -s sync`: edit that file, not this one.
"""Writes of which the server tells nothing: none happens twice, none goes over another's."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from pymongo import MongoClient

import loom_sync as lm
from loom_sync import _seam
from tests.faults.proxy import Proxy
from tests.faults.replica_set import until
from tests.sync._seam import gathered

from .counters import LIMIT, Counter, Through, failure, increment, load, proxied, rename, store_many

DATABASE = f"faults_{__name__.replace('.', '_')}"


@pytest.fixture
def through(mongo_uri: str) -> Iterator[Through]:
    """A proxy before the server, and the URI that leads through it."""
    with proxied(mongo_uri, DATABASE) as opened:
        yield opened


def test_a_reply_is_lost(through: Through) -> None:
    """What has been counted is not counted again; what is put in its place may be put again."""
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
        for copy in (counter, counter.model_copy()):
            with pytest.raises(lm.OutcomeUnknown):
                copy.persist()
        with pytest.raises(lm.BulkError) as caught:
            Counter.persist_many([counter])
        assert "reload()" in caught.value.entries[0].reason
        counter.reload()
        assert (counter.count, counter.log) == (1, ["once"])
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
        with pytest.raises(lm.OutcomeUnknown):
            old.persist()
        assert Counter.persist_many([new]) == lm.PersistResult(1, 0, 0)
        assert old.reload().count == 1
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
            _seam.in_thread(write_meanwhile, mongo_uri, proxy, theirs)

        gathered(renaming, others)
    return counter


@pytest.mark.parametrize("theirs", [{}, {"log": ["theirs"]}])
def test_a_set_that_has_happened_is_no_error(
    through: Through, mongo_uri: str, theirs: dict[str, Any]
) -> None:
    counter = rename_unheard(through, mongo_uri, theirs)
    assert (counter.name, counter.log) == ("new", theirs.get("log", []))
    assert counter.persist() is False


def test_nothing_is_set_over_what_another_has_set(through: Through, mongo_uri: str) -> None:
    with pytest.raises(lm.ConnectionFailed):
        rename_unheard(through, mongo_uri, {"name": "theirs"})
    (stored,) = Counter.filter().load_many()
    assert stored.name == "theirs"


def test_many_are_stored_at_once(through: Through, mongo_uri: str) -> None:
    """Each of them is as if it had been alone: one has met another writer, the others have not."""
    proxy, uri = through
    count = 20
    theirs, outcomes = {"name": "theirs", "log": ["theirs"]}, dict[Any, object]()
    with lm.connect(uri, minPoolSize=count):
        counters = [Counter() for _ in range(count)]
        Counter.persist_many(counters)
        first = counters[0].id
        # Connections are made while they can be, two of them by the driver's monitors.
        _seam.in_thread(until, lambda: proxy.connections >= count + 2)
        proxy.hold_replies()

        def renaming(counter: Counter) -> None:
            try:
                outcomes[counter.id] = rename(counter)
            except lm.ConnectionFailed as error:
                outcomes[counter.id] = error

        def others() -> None:
            write = partial(write_meanwhile, mongo_uri, proxy, theirs, count=count)
            _seam.in_thread(write)

        gathered(*(partial(renaming, counter) for counter in counters[::-1]), others)
        assert isinstance(outcomes.pop(first), lm.ConnectionFailed)
        assert list(outcomes.values()) == [None] * (count - 1)
        stored = {counter.id: counter.name for counter in Counter.filter().load_many()}
        assert stored == {counter.id: counter.name for counter in counters} | {first: "theirs"}
