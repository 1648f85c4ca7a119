"""Every public call, given up at many moments: nothing is half done, nothing is left open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession

import loom_async as lm
from tests.faults.leftovers import Observer, Open, PoolWatch, SessionWatch, observing
from tests.faults.leftovers import watching_sessions as watching
from tests.worlds.called_models import ROWS, Call, Row, Work
from tests.worlds.giving_up import (
    CUT,
    After,
    Way,
    by_a_cancel_every_turn,
    by_a_scope,
    by_two_timeouts,
)
from tests.worlds.giving_up import given_up as give_up
from tests.worlds.public_calls import WORKS

DATABASE = "worlds_giving_up"
_SECONDS = 5.0
_TURNS = (0, 1, 2, 3, 5, 8, 12, 20)
#: Of the time that the call takes.
_PARTS = (0.2, 0.4, 0.6, 0.8, 0.95)


class Left(NamedTuple):
    """What is open, and how many tasks of the loop run."""

    open: Open
    sessions: int
    tasks: int


class Stage(NamedTuple):
    """What looks for leftovers, and what there was before a call."""

    observer: Observer
    sessions: SessionWatch
    client: AsyncMongoClient[dict[str, Any]]

    async def left(self) -> Left:
        """Return what there is now."""
        opened = await asyncio.to_thread(self.observer.open)
        return Left(opened, self.sessions.open, len(asyncio.all_tasks()))

    async def settled(self, before: Left) -> Left:
        """Return what there is once outstanding replies are in, or after five seconds."""
        limit = time.monotonic() + _SECONDS
        now = await self.left()
        while now != before and time.monotonic() < limit:
            await asyncio.sleep(0.02)
            now = await self.left()
        return now


@pytest.fixture
async def stage(mongo_uri: str) -> AsyncIterator[Stage]:
    watch = PoolWatch()
    with watching(AsyncClientSession) as sessions, lm.using(database=DATABASE):
        async with lm.connect(mongo_uri, event_listeners=[watch]) as client:
            await client.drop_database(DATABASE)
            await Row.persist_many([Row(number=n) for n in range(ROWS)])
            with observing(mongo_uri, watch) as observer:
                yield Stage(observer, sessions, client)
            await client.drop_database(DATABASE)


async def moments(work: Work) -> list[After]:
    """Return when to give a call up: after turns of the loop, and after parts of its time."""
    await work.call()
    start = time.perf_counter()
    await work.call()
    seconds = time.perf_counter() - start
    return [*_TURNS, *(part * seconds for part in _PARTS)]


async def eventually(check: Call) -> None:
    """Return as soon as a check finds all whole: what was given up may run on to its end."""
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


_WAYS: list[Way] = [by_a_scope, by_two_timeouts, by_a_cancel_every_turn]


@pytest.mark.parametrize("name", WORKS)
async def test_it_leaves_nothing(stage: Stage, name: str) -> None:
    work = await WORKS[name]()
    after = await moments(work)
    before = await stage.settled(await stage.left())
    ended = 0
    for way in _WAYS:
        for moment in after:
            try:
                outcome = await give_up(way, work.call, moment)
            except lm.TransactionAborted:  # a conflict with one that was given up before
                continue
            ended += outcome is not CUT
            await eventually(work.whole)
    await eventually(work.settled)
    assert await stage.settled(before) == before
    assert ended < len(_WAYS) * len(after)


async def watch_shortly(number: int) -> None:
    async with Row.watch():
        pass


async def load_and_give_up(number: int) -> None:
    await give_up(by_a_scope, lambda: Row.filter().load_many(), number % 24)


async def load_a_frame_and_give_up(number: int) -> None:
    await give_up(by_a_scope, lambda: Row.filter().load_table(), number % 24)


@pytest.mark.parametrize("call", [watch_shortly, load_and_give_up, load_a_frame_and_give_up])
async def test_sessions_do_not_pile_up(stage: Stage, call: Any) -> None:
    """The server keeps one that is not ended for half an hour; ended, it serves the next call."""
    await call(0)
    before = await asyncio.to_thread(stage.observer.sessions)
    for number in range(48):
        await call(number)
    assert await asyncio.to_thread(stage.observer.sessions) - before < 6
