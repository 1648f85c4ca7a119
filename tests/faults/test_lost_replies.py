"""Writes whose replies are lost: none is made twice, none overwrites another client's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from pymongo import MongoClient

import loom_async as lm
from loom_async import _concurrency
from tests.aio._concurrency import gathered
from tests.faults.counters import (
    LIMIT,
    Counter,
    ProxiedServer,
    connect_proxy,
    expect_failure,
    increment,
    load,
    persist_many,
    rename,
)
from tests.faults.proxy import Proxy
from tests.faults.replica_set import until

DATABASE = f"faults_{__name__.replace('.', '_')}"


@pytest.fixture
async def proxied_server(mongo_uri: str) -> AsyncIterator[ProxiedServer]:
    """A proxy to the server, and its URI."""
    async with connect_proxy(mongo_uri, DATABASE) as server:
        yield server


async def test_the_reply_to_persist_is_lost(proxied_server: ProxiedServer) -> None:
    """The second persist makes the write unless it was made: the counter counts once."""
    proxy, uri = proxied_server
    async with lm.connect(uri, timeoutMS=int(LIMIT * 1000)):
        await (counter := Counter()).persist()
        counter.log.append("once")
        proxy.hold_replies()
        await expect_failure(increment, counter, LIMIT)
        proxy.thaw()
        await load(other := Counter(count=5))
        proxy.hold_replies()
        await expect_failure(rename, other, LIMIT)
        proxy.thaw()
        # A copy does not know the number of the command, so it cannot settle the outcome.
        with pytest.raises(lm.OutcomeUnknown):
            await counter.model_copy().persist()
        assert await counter.persist()
        assert (counter.count, counter.log) == (1, ["once"])
        assert not await counter.persist()
        await increment(counter)
        assert await other.persist()
        await increment(other)
        assert (await counter.reload()).count == 2
        assert (await other.reload()).count == 6
        assert await Counter.filter().count() == 2


async def test_the_reply_to_persist_many_is_lost(proxied_server: ProxiedServer) -> None:
    proxy, uri = proxied_server
    async with lm.connect(uri, timeoutMS=int(LIMIT * 1000)):
        await (old := Counter()).persist()
        old.count += 1
        new_counter = Counter(count=1)
        for counter in (new_counter, old):
            proxy.hold_replies()
            await expect_failure(persist_many, counter, LIMIT)
            proxy.thaw()
            await load(counter)
        assert await Counter.persist_many([new_counter, old]) == lm.PersistResult(1, 1, 0)
        assert await Counter.persist_many([new_counter, old]) == lm.PersistResult(0, 0, 2)
        assert [(await counter.reload()).count for counter in (new_counter, old)] == [1, 1]
        assert await Counter.filter().count() == 2


async def test_an_edit_is_reverted_after_a_lost_reply(proxied_server: ProxiedServer) -> None:
    """The final values are stored, although they equal those that were loaded."""
    proxy, uri = proxied_server
    async with lm.connect(uri, timeoutMS=int(LIMIT * 1000)):
        await (counter := Counter(log=["a"])).persist()
        counter.log.append("b")
        proxy.hold_replies()
        await expect_failure(rename, counter, LIMIT)
        counter.count += 1
        proxy.thaw()
        counter.name, counter.log, counter.count = "", ["a"], 0
        await counter.persist()
        stored = await Counter.from_id(counter.id)
        assert stored is not None
        assert (stored.name, stored.log, stored.count) == ("", ["a"], 0)


async def test_a_second_attempt_without_a_server(proxied_server: ProxiedServer) -> None:
    """A second attempt that is not sent does not change the outcome of the first."""
    proxy, uri = proxied_server
    with lm.config_context(server_timeout=LIMIT):
        async with lm.connect(uri, timeoutMS=int(LIMIT * 1000)):
            await Counter().persist()
            new_counter = Counter(count=1)
            proxy.hold_replies()
            await expect_failure(Counter.persist, new_counter, LIMIT)
            proxy.cut()
            await expect_failure(Counter.persist, new_counter, LIMIT)
            proxy.restore()
            proxy.thaw()
            assert await new_counter.persist()
            assert (await new_counter.reload()).count == 1
            assert await Counter.filter().count() == 2


def update_and_cut(mongo_uri: str, proxy: Proxy, theirs: dict[str, Any], *, count: int = 1) -> None:
    """Wait for the new names, update one document as another client, cut the connections."""
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        counters = client[DATABASE]["counters"]
        until(lambda: counters.count_documents({"name": "new"}) == count)
        if theirs:
            counters.update_one({}, {"$set": theirs})
    proxy.cut()
    proxy.restore()
    proxy.thaw()


async def rename_with_lost_reply(
    proxied_server: ProxiedServer, mongo_uri: str, theirs: dict[str, Any]
) -> Counter:
    """Return a counter whose new name was stored before another client's update."""
    proxy, uri = proxied_server
    async with lm.connect(uri):
        await (counter := Counter()).persist()
        proxy.hold_replies()

        async def renaming() -> None:
            await rename(counter)

        async def update() -> None:
            await _concurrency.in_thread(update_and_cut, mongo_uri, proxy, theirs)

        await gathered(renaming, update)
    return counter


@pytest.mark.parametrize("theirs", [{}, {"log": ["theirs"]}])
async def test_a_set_that_was_executed_raises_no_error(
    proxied_server: ProxiedServer, mongo_uri: str, theirs: dict[str, Any]
) -> None:
    counter = await rename_with_lost_reply(proxied_server, mongo_uri, theirs)
    assert counter.name == "new"
    assert await counter.persist() is False
    assert (await counter.reload()).log == theirs.get("log", [])


async def test_a_retried_set_does_not_overwrite_another_client(
    proxied_server: ProxiedServer, mongo_uri: str
) -> None:
    """The set was executed before the other update, and is not repeated."""
    counter = await rename_with_lost_reply(proxied_server, mongo_uri, {"name": "theirs"})
    assert counter.name == "new"
    assert (await counter.reload()).name == "theirs"


async def test_grouped_saves_with_a_lost_reply(
    proxied_server: ProxiedServer, mongo_uri: str
) -> None:
    """Each save is settled separately: only one document was updated by another client."""
    proxy, uri = proxied_server
    count = 20
    theirs = {"name": "theirs", "log": ["theirs"]}
    async with lm.connect(uri, minPoolSize=count):
        counters = [Counter() for _ in range(count)]
        await Counter.persist_many(counters)
        # All connections are made before; the driver's monitors use two.
        await _concurrency.in_thread(until, lambda: proxy.connections >= count + 2)
        proxy.hold_replies()

        async def update() -> None:
            write = partial(update_and_cut, mongo_uri, proxy, theirs, count=count)
            await _concurrency.in_thread(write)

        await gathered(*(partial(rename, counter) for counter in counters[::-1]), update)
        assert {counter.name for counter in counters} == {"new"}
        stored = {counter.id: counter.name for counter in await Counter.filter().load_many()}
        assert stored == {counter.id: counter.name for counter in counters} | {
            counters[0].id: "theirs"
        }
