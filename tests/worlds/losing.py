"""Ways to lose what the server says to a write, and whether the write has happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from pymongo import AsyncMongoClient

import loom_async as lm
from tests.faults.counters import proxied
from tests.faults.proxy import Proxy

#: Seconds: the limit of each operation where there is one, and of waiting for a server. The driver
#: looks for a server every half second at most.
LIMIT, SERVER_LIMIT = 0.4, 0.8
_SECONDS = 10.0


@lm.declare_persist_db("worlds", "probes")
class Probe(lm.PersistableBase):
    """Of a collection that stays empty."""


Call = Callable[[], Awaitable[object]]
IsStored = Callable[[], Awaitable[bool]]
Way = Callable[[Proxy, Sequence[Call], IsStored], Awaitable[list[Any]]]


class Line(NamedTuple):
    """A connection that can fail, and a client that goes past it."""

    proxy: Proxy
    uri: str
    direct: AsyncMongoClient[dict[str, Any]]


@asynccontextmanager
async def line_to(mongo_uri: str, database: str) -> AsyncIterator[Line]:
    """Give a line to the server; models use the database, which is dropped afterwards."""
    async with proxied(mongo_uri, database) as (proxy, uri):
        with lm.config_context(server_timeout=SERVER_LIMIT):
            async with AsyncMongoClient[dict[str, Any]](mongo_uri) as direct:
                yield Line(proxy, uri, direct)
                proxy.mend()
                proxy.thaw()


async def wait_until(condition: IsStored) -> None:
    """Return as soon as something is so; raise TimeoutError after ten seconds."""
    loop = asyncio.get_running_loop()
    limit = loop.time() + _SECONDS
    while not await condition():
        await asyncio.sleep(0.01)
        if loop.time() > limit:
            raise TimeoutError


@asynccontextmanager
async def connected(line: Line, count: int, **options: Any) -> AsyncIterator[None]:
    """Connect through the line, so often that none of many calls has to wait for a connection."""
    options = {"minPoolSize": count, "heartbeatFrequencyMS": 500, **options}
    async with lm.connect(line.uri, **options) as client:
        await client.admin.command("ping")

        async def is_ready() -> bool:
            return line.proxy.connections >= count + 2  # two are of the driver's monitors

        await wait_until(is_ready)
        yield
        line.proxy.mend()
        line.proxy.thaw()


async def reachable() -> None:
    """Return as soon as the client in force finds its server."""

    async def is_there() -> bool:
        try:
            return await Probe.filter().count() == 0
        except lm.LoomError:
            return False

    await wait_until(is_there)


async def _ended(tasks: Sequence[asyncio.Task[Any]], seconds: float | None = None) -> list[Any]:
    await asyncio.wait(tasks, timeout=seconds)
    return [_outcome(task) for task in tasks if task.done()]


def _outcome(task: asyncio.Task[Any]) -> Any:
    return asyncio.CancelledError() if task.cancelled() else task.exception() or task.result()


def _begun(calls: Sequence[Call]) -> list[asyncio.Task[Any]]:
    return [asyncio.ensure_future(call()) for call in calls]


async def cancelled(proxy: Proxy, calls: Sequence[Call], is_stored: IsStored) -> list[Any]:
    """The server has written, and the callers are cancelled before they hear of it."""
    proxy.hold_replies()
    tasks = _begun(calls)
    await wait_until(is_stored)
    for task in tasks:
        task.cancel()
    await _ended(tasks, LIMIT)
    proxy.thaw()
    return await _ended(tasks)


async def cancelled_unsent(proxy: Proxy, calls: Sequence[Call], is_stored: IsStored) -> list[Any]:
    """The callers are cancelled, and the connection breaks before the server hears of them."""
    proxy.freeze()
    tasks = _begun(calls)
    await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    await _ended(tasks, LIMIT)
    proxy.cut()
    proxy.mend()
    proxy.thaw()
    return await _ended(tasks)


async def unanswered(proxy: Proxy, calls: Sequence[Call], is_stored: IsStored) -> list[Any]:
    """The server has written, and says nothing until the time of each operation is over."""
    proxy.hold_replies()
    outcomes = await _ended(_begun(calls))
    await wait_until(is_stored)
    proxy.thaw()
    return outcomes


async def late(proxy: Proxy, calls: Sequence[Call], is_stored: IsStored) -> list[Any]:
    """The server hears of the writes only after the time of each operation is over."""
    proxy.freeze()
    outcomes = await _ended(_begun(calls))
    proxy.thaw()
    return outcomes


async def cut_off(proxy: Proxy, calls: Sequence[Call], is_stored: IsStored) -> list[Any]:
    """The server has written; then there is none for longer than it is waited for."""
    proxy.hold_replies()
    tasks = _begun(calls)
    await wait_until(is_stored)
    proxy.cut()
    outcomes = await _ended(tasks)
    proxy.mend()
    proxy.thaw()
    return outcomes


WAYS: tuple[Way, ...] = (cancelled, cancelled_unsent, unanswered, late, cut_off)


def options_for(way: Way) -> dict[str, Any]:
    """Return the options of a client whose operations a way is to end."""
    return {"timeoutMS": int(LIMIT * 1000)} if way in (unanswered, late) else {}
