"""Every public call, cancelled at many moments: nothing is half done, nothing stays open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession

import loom_async as lm
from tests.faults.leftovers import (
    Observer,
    OpenResources,
    PoolWatch,
    SessionWatch,
    observe,
    watch_sessions,
)
from tests.worlds.cancellation import (
    CANCELLED,
    Canceller,
    Delay,
    cancel_by_scope,
    cancel_by_two_timeouts,
    cancel_every_iteration,
    run_and_cancel,
)
from tests.worlds.cancellation_cases import CASES
from tests.worlds.cancellation_models import ROWS, Call, CancellationCase, Row

DATABASE = "worlds_cancelled_calls"
_SECONDS = 5.0
_ITERATIONS = (0, 1, 2, 3, 5, 8, 12, 20)
#: Shares of the time that the call takes.
_SHARES = (0.2, 0.4, 0.6, 0.8, 0.95)


class Resources(NamedTuple):
    """What is open, and how many tasks the event loop runs."""

    open: OpenResources
    sessions: int
    tasks: int


class ResourceMonitor(NamedTuple):
    """Counts what calls leave open on the server, in the pool and in the event loop."""

    observer: Observer
    sessions: SessionWatch
    client: AsyncMongoClient[dict[str, Any]]

    async def resources(self) -> Resources:
        """Return what is open now."""
        opened = await asyncio.to_thread(self.observer.open_resources)
        return Resources(opened, self.sessions.open, len(asyncio.all_tasks()))

    async def wait_for(self, before: Resources) -> Resources:
        """Return what is open as soon as it equals `before`, or after five seconds."""
        limit = time.monotonic() + _SECONDS
        now = await self.resources()
        while now != before and time.monotonic() < limit:
            await asyncio.sleep(0.02)
            now = await self.resources()
        return now


@pytest.fixture
async def monitor(mongo_uri: str) -> AsyncIterator[ResourceMonitor]:
    watch = PoolWatch()
    with watch_sessions(AsyncClientSession) as sessions, lm.using(database=DATABASE):
        async with lm.connect(mongo_uri, event_listeners=[watch]) as client:
            await client.drop_database(DATABASE)
            await Row.persist_many([Row(number=n) for n in range(ROWS)])
            with observe(mongo_uri, watch) as observer:
                yield ResourceMonitor(observer, sessions, client)
            await client.drop_database(DATABASE)


async def delays(case: CancellationCase) -> list[Delay]:
    """Return when to cancel a call: after iterations of the loop, and after shares of its time."""
    await case.call()
    start = time.perf_counter()
    await case.call()
    seconds = time.perf_counter() - start
    return [*_ITERATIONS, *(share * seconds for share in _SHARES)]


async def eventually(check: Call) -> None:
    """Return as soon as a check passes: a cancelled call may still run to its end."""
    limit = time.monotonic() + _SECONDS
    while True:
        try:
            await check()
        except (AssertionError, lm.DocumentNotFound, lm.OperationFailed):
            if time.monotonic() > limit:
                raise
            await asyncio.sleep(0.1)
        else:
            return


_CANCELLERS: list[Canceller] = [cancel_by_scope, cancel_by_two_timeouts, cancel_every_iteration]


@pytest.mark.parametrize("name", CASES)
async def test_a_cancelled_call_leaves_nothing_open(monitor: ResourceMonitor, name: str) -> None:
    case = await CASES[name]()
    moments = await delays(case)
    before = await monitor.wait_for(await monitor.resources())
    ended = 0
    for canceller in _CANCELLERS:
        for delay in moments:
            try:
                outcome = await run_and_cancel(canceller, case.call, delay)
            except lm.TransactionAborted:  # by a conflict with a cancelled one
                continue
            ended += outcome is not CANCELLED
            await eventually(case.check_each)
    await eventually(case.check_end)
    assert await monitor.wait_for(before) == before
    assert ended < len(_CANCELLERS) * len(moments)


async def watch_briefly(number: int) -> None:
    async with Row.watch():
        pass


async def load_and_cancel(number: int) -> None:
    await run_and_cancel(cancel_by_scope, lambda: Row.filter().load_many(), number % 24)


async def load_a_table_and_cancel(number: int) -> None:
    await run_and_cancel(cancel_by_scope, lambda: Row.filter().load_table(), number % 24)


@pytest.mark.parametrize("call", [watch_briefly, load_and_cancel, load_a_table_and_cancel])
async def test_calls_return_their_sessions_to_the_pool(monitor: ResourceMonitor, call: Any) -> None:
    """The server would keep each session that is not returned for half an hour."""
    await call(0)
    before = await asyncio.to_thread(monitor.observer.sessions)
    for number in range(48):
        await call(number)
    assert await asyncio.to_thread(monitor.observer.sessions) - before < 6
