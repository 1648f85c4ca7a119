"""Writes of which the server tells nothing: none happens twice, none goes over another's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from pymongo import MongoClient

import loom_async as lm
from loom_async import _seam
from tests.aio._seam import gathered

from .counters import (
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
from .proxy import Proxy
from .replica_set import until

DATABASE = f"faults_{__name__.replace('.', '_')}"


@pytest.fixture
async def through(mongo_uri: str) -> AsyncIterator[Through]:
    """A proxy before the server, and the URI that leads through it."""
    async with proxied(mongo_uri, DATABASE) as opened:
        yield opened


async def test_a_reply_is_lost(through: Through) -> None:
    """What has been counted is not counted again; what is put in its place may be put again."""
    proxy, uri = through
    async with lm.connect(uri, timeoutMS=int(LIMIT * 1000)):
        await (counter := Counter()).persist()
        counter.log.append("once")
        proxy.hold_replies()
        await failure(increment, counter, LIMIT)
        proxy.thaw()
        await load(other := Counter(count=5))
        proxy.hold_replies()
        await failure(rename, other, LIMIT)
        proxy.thaw()
        for copy in (counter, counter.model_copy()):
            with pytest.raises(lm.OutcomeUnknown):
                await copy.persist()
        with pytest.raises(lm.BulkError) as caught:
            await Counter.persist_many([counter])
        assert "reload()" in caught.value.entries[0].reason
        await counter.reload()
        assert (counter.count, counter.log) == (1, ["once"])
        await increment(counter)
        assert await other.persist()
        await increment(other)
        assert (await counter.reload()).count == 2
        assert (await other.reload()).count == 6
        assert await Counter.filter().count() == 2


async def test_a_reply_to_many_is_lost(through: Through) -> None:
    proxy, uri = through
    async with lm.connect(uri, timeoutMS=int(LIMIT * 1000)):
        await (old := Counter()).persist()
        old.count += 1
        new = Counter(count=1)
        for counter in (new, old):
            proxy.hold_replies()
            await failure(store_many, counter, LIMIT)
            proxy.thaw()
            await load(counter)
        with pytest.raises(lm.OutcomeUnknown):
            await old.persist()
        assert await Counter.persist_many([new]) == lm.PersistResult(1, 0, 0)
        assert (await old.reload()).count == 1
        assert await Counter.filter().count() == 2


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


async def rename_unheard(through: Through, mongo_uri: str, theirs: dict[str, Any]) -> Counter:
    """Return a counter whose new name was stored, while another one wrote as well."""
    proxy, uri = through
    async with lm.connect(uri):
        await (counter := Counter()).persist()
        proxy.hold_replies()

        async def renaming() -> None:
            await rename(counter)

        async def others() -> None:
            await _seam.in_thread(write_meanwhile, mongo_uri, proxy, theirs)

        await gathered(renaming, others)
    return counter


@pytest.mark.parametrize("theirs", [{}, {"log": ["theirs"]}])
async def test_a_set_that_has_happened_is_no_error(
    through: Through, mongo_uri: str, theirs: dict[str, Any]
) -> None:
    counter = await rename_unheard(through, mongo_uri, theirs)
    assert (counter.name, counter.log) == ("new", theirs.get("log", []))
    assert await counter.persist() is False


async def test_nothing_is_set_over_what_another_has_set(through: Through, mongo_uri: str) -> None:
    with pytest.raises(lm.ConnectionFailed):
        await rename_unheard(through, mongo_uri, {"name": "theirs"})
    (stored,) = await Counter.filter().load_many()
    assert stored.name == "theirs"


async def test_many_are_stored_at_once(through: Through, mongo_uri: str) -> None:
    """Each of them is as if it had been alone: one has met another writer, the others have not."""
    proxy, uri = through
    count = 20
    theirs, outcomes = {"name": "theirs", "log": ["theirs"]}, dict[Any, object]()
    async with lm.connect(uri, minPoolSize=count):
        counters = [Counter() for _ in range(count)]
        await Counter.persist_many(counters)
        first = counters[0].id
        # Connections are made while they can be, two of them by the driver's monitors.
        await _seam.in_thread(until, lambda: proxy.connections >= count + 2)
        proxy.hold_replies()

        async def renaming(counter: Counter) -> None:
            try:
                outcomes[counter.id] = await rename(counter)
            except lm.ConnectionFailed as error:
                outcomes[counter.id] = error

        async def others() -> None:
            write = partial(write_meanwhile, mongo_uri, proxy, theirs, count=count)
            await _seam.in_thread(write)

        await gathered(*(partial(renaming, counter) for counter in counters[::-1]), others)
        assert isinstance(outcomes.pop(first), lm.ConnectionFailed)
        assert list(outcomes.values()) == [None] * (count - 1)
        stored = {counter.id: counter.name for counter in await Counter.filter().load_many()}
        assert stored == {counter.id: counter.name for counter in counters} | {first: "theirs"}
