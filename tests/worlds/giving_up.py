"""The ways in which a caller gives up a call: one cancel, several, scopes and timeouts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from enum import Enum
from typing import Any, Final

import anyio

import loom_async as lm


class _Cut(Enum):
    CUT = "given up"


#: What a call gives that its caller has given up.
CUT: Final = _Cut.CUT

Call = Callable[[], Awaitable[Any]]
#: A number of turns of the event loop, or of seconds.
After = int | float
Way = Callable[[Call, After], Awaitable[Any]]


async def given_up(way: Way, call: Call, after: After) -> Any:
    """Return what a call gives, or CUT; errors of the call itself are raised.

    The caller is a task of its own: a cancel that comes too late does not leave it.
    """
    task = asyncio.ensure_future(way(call, after))
    # An error is not told a second time where the caller's own caller has ended.
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    await asyncio.wait([task])
    return CUT if task.cancelled() else task.result()


async def _wait(after: After) -> None:
    if isinstance(after, int):
        for _ in range(after):
            await asyncio.sleep(0)
    else:
        await asyncio.sleep(after)


@asynccontextmanager
async def _meanwhile(after: After, *actions: Callable[[], object]) -> Any:
    async def act() -> None:
        await _wait(after)
        for action in actions:
            action()

    acting = asyncio.create_task(act())
    try:
        yield
    finally:
        acting.cancel()


async def by_one_cancel(call: Call, after: After) -> Any:
    return await _by_cancels(call, after, times=1)


async def by_two_cancels(call: Call, after: After) -> Any:
    return await _by_cancels(call, after, times=2)


async def by_a_cancel_every_turn(call: Call, after: After) -> Any:
    return await _by_cancels(call, after, times=1_000_000)


async def _by_cancels(call: Call, after: After, *, times: int) -> Any:
    task = asyncio.ensure_future(call())
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    waiting = asyncio.create_task(_wait(after))
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    while times and not task.done():
        task.cancel()
        times -= 1
        await asyncio.sleep(0)
    await asyncio.wait([task])
    return CUT if task.cancelled() else task.result()


async def by_a_scope(call: Call, after: After) -> Any:
    """The scope of anyio cancels on every turn of the loop until the call has left it."""
    with anyio.CancelScope() as scope:
        async with _meanwhile(after, scope.cancel):
            return await call()
    return CUT


async def by_two_timeouts(call: Call, after: After) -> Any:
    """Two `asyncio.timeout` blocks, one in the other, end at the same moment."""
    now = asyncio.get_running_loop().time
    try:
        async with asyncio.timeout(None) as outer, asyncio.timeout(None) as inner:
            ending = (lambda: outer.reschedule(now()), lambda: inner.reschedule(now()))
            async with _meanwhile(after, *ending):
                return await call()
    except TimeoutError as error:
        if isinstance(error, lm.LoomError):
            raise
        return CUT


WAYS: tuple[Way, ...] = (
    by_one_cancel,
    by_two_cancels,
    by_a_cancel_every_turn,
    by_a_scope,
    by_two_timeouts,
)
