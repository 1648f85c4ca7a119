"""Ways to lose the reply to a write, whether or not the server has made the write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from pymongo import AsyncMongoClient

import loom_async as lm
from tests.faults.counters import connect_proxy
from tests.faults.proxy import Proxy

#: Seconds: the time limit of an operation, and of server selection. The driver looks for a server
#: every half second at most.
LIMIT, SERVER_LIMIT = 0.4, 0.8
_SECONDS = 10.0


@lm.declare_persist_db("worlds", "probes")
class Probe(lm.PersistableBase):
    """The model of a collection that stays empty."""


Call = Callable[[], Awaitable[object]]
IsStored = Callable[[], Awaitable[bool]]
Loss = Callable[[Proxy, Sequence[Call], IsStored], Awaitable[list[Any]]]


class Connection(NamedTuple):
    """A proxy to the server, and a client that bypasses it."""

    proxy: Proxy
    uri: str
    direct: AsyncMongoClient[dict[str, Any]]


@asynccontextmanager
async def open_connection(mongo_uri: str, database: str) -> AsyncIterator[Connection]:
    """Open a proxy to the server; models use the database, which is dropped afterwards."""
    async with connect_proxy(mongo_uri, database) as (proxy, uri):
        with lm.config_context(server_timeout=SERVER_LIMIT):
            async with AsyncMongoClient[dict[str, Any]](mongo_uri) as direct:
                yield Connection(proxy, uri, direct)
                proxy.restore()
                proxy.thaw()


async def wait_until(condition: IsStored) -> None:
    """Return as soon as a condition holds; raise TimeoutError after ten seconds."""
    loop = asyncio.get_running_loop()
    limit = loop.time() + _SECONDS
    while not await condition():
        await asyncio.sleep(0.01)
        if loop.time() > limit:
            raise TimeoutError


@asynccontextmanager
async def connected(connection: Connection, count: int, **options: Any) -> AsyncIterator[None]:
    """Connect through the proxy, with so many connections that no call waits for one."""
    options = {"minPoolSize": count, "heartbeatFrequencyMS": 500, **options}
    async with lm.connect(connection.uri, **options) as client:
        await client.admin.command("ping")

        async def is_ready() -> bool:
            return connection.proxy.connections >= count + 2  # the driver's monitors use two

        await wait_until(is_ready)
        yield
        connection.proxy.restore()
        connection.proxy.thaw()


async def wait_until_reachable() -> None:
    """Return as soon as the current client finds its server."""

    async def is_reachable() -> bool:
        try:
            return await Probe.filter().count() == 0
        except lm.LoomError:
            return False

    await wait_until(is_reachable)


async def _outcomes(tasks: Sequence[asyncio.Task[Any]], seconds: float | None = None) -> list[Any]:
    await asyncio.wait(tasks, timeout=seconds)
    return [_outcome(task) for task in tasks if task.done()]


def _outcome(task: asyncio.Task[Any]) -> Any:
    return asyncio.CancelledError() if task.cancelled() else task.exception() or task.result()


def _start(calls: Sequence[Call]) -> list[asyncio.Task[Any]]:
    return [asyncio.ensure_future(call()) for call in calls]


async def cancel_before_reply(
    proxy: Proxy, calls: Sequence[Call], is_stored: IsStored
) -> list[Any]:
    """The server has written; the callers are cancelled before they receive its replies."""
    proxy.hold_replies()
    tasks = _start(calls)
    await wait_until(is_stored)
    for task in tasks:
        task.cancel()
    await _outcomes(tasks, LIMIT)
    proxy.thaw()
    return await _outcomes(tasks)


async def cancel_unsent(proxy: Proxy, calls: Sequence[Call], is_stored: IsStored) -> list[Any]:
    """The callers are cancelled; the connection breaks before the server receives the writes."""
    proxy.freeze()
    tasks = _start(calls)
    await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    await _outcomes(tasks, LIMIT)
    proxy.cut()
    proxy.restore()
    proxy.thaw()
    return await _outcomes(tasks)


async def time_out(proxy: Proxy, calls: Sequence[Call], is_stored: IsStored) -> list[Any]:
    """The server has written; its replies arrive after the operations have timed out."""
    proxy.hold_replies()
    outcomes = await _outcomes(_start(calls))
    await wait_until(is_stored)
    proxy.thaw()
    return outcomes


async def deliver_late(proxy: Proxy, calls: Sequence[Call], is_stored: IsStored) -> list[Any]:
    """The server receives the writes after the operations have timed out."""
    proxy.freeze()
    outcomes = await _outcomes(_start(calls))
    proxy.thaw()
    return outcomes


async def cut_before_reply(proxy: Proxy, calls: Sequence[Call], is_stored: IsStored) -> list[Any]:
    """The server has written; then it is unreachable for longer than server selection waits."""
    proxy.hold_replies()
    tasks = _start(calls)
    await wait_until(is_stored)
    proxy.cut()
    outcomes = await _outcomes(tasks)
    proxy.restore()
    proxy.thaw()
    return outcomes


LOSSES: tuple[Loss, ...] = (
    cancel_before_reply,
    cancel_unsent,
    time_out,
    deliver_late,
    cut_before_reply,
)


def options_for(loss: Loss) -> dict[str, Any]:
    """Return the options of a client whose operations have to time out for a loss."""
    return {"timeoutMS": int(LIMIT * 1000)} if loss in (time_out, deliver_late) else {}
