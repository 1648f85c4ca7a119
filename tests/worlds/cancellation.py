"""The ways in which a caller cancels a call: one cancel, several, scopes and timeouts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from enum import Enum
from typing import Any, Final

import anyio

import loom_async as lm


class _Cancelled(Enum):
    CANCELLED = "cancelled"


#: The outcome of a call that its caller has cancelled.
CANCELLED: Final = _Cancelled.CANCELLED

Call = Callable[[], Awaitable[Any]]
#: Iterations of the event loop if it is an int, seconds if it is a float.
Delay = int | float
Canceller = Callable[[Call, Delay], Awaitable[Any]]


async def run_and_cancel(canceller: Canceller, call: Call, delay: Delay) -> Any:
    """Return the result of a call, or CANCELLED; errors of the call itself are raised.

    The call runs in a task of its own, so that a cancel that comes too late does not reach the
    test.
    """
    task = asyncio.ensure_future(canceller(call, delay))
    # Retrieves the exception, which asyncio would log if the test itself ends before.
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    await asyncio.wait([task])
    return CANCELLED if task.cancelled() else task.result()


async def _wait(delay: Delay) -> None:
    if isinstance(delay, int):
        for _ in range(delay):
            await asyncio.sleep(0)
    else:
        await asyncio.sleep(delay)


@asynccontextmanager
async def _run_later(delay: Delay, *actions: Callable[[], object]) -> Any:
    async def act() -> None:
        await _wait(delay)
        for action in actions:
            action()

    acting = asyncio.create_task(act())
    try:
        yield
    finally:
        acting.cancel()


async def cancel_once(call: Call, delay: Delay) -> Any:
    return await _cancel(call, delay, times=1)


async def cancel_twice(call: Call, delay: Delay) -> Any:
    return await _cancel(call, delay, times=2)


async def cancel_every_iteration(call: Call, delay: Delay) -> Any:
    return await _cancel(call, delay, times=1_000_000)


async def _cancel(call: Call, delay: Delay, *, times: int) -> Any:
    task = asyncio.ensure_future(call())
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    waiting = asyncio.create_task(_wait(delay))
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    while times and not task.done():
        task.cancel()
        times -= 1
        await asyncio.sleep(0)
    await asyncio.wait([task])
    return CANCELLED if task.cancelled() else task.result()


async def cancel_by_scope(call: Call, delay: Delay) -> Any:
    """Cancel by anyio, whose scope cancels on every iteration until the call has left it."""
    with anyio.CancelScope() as scope:
        async with _run_later(delay, scope.cancel):
            return await call()
    return CANCELLED


async def cancel_by_two_timeouts(call: Call, delay: Delay) -> Any:
    """Cancel by two nested `asyncio.timeout` blocks that expire at the same moment."""
    now = asyncio.get_running_loop().time
    try:
        async with asyncio.timeout(None) as outer, asyncio.timeout(None) as inner:
            expirations = (lambda: outer.reschedule(now()), lambda: inner.reschedule(now()))
            async with _run_later(delay, *expirations):
                return await call()
    except TimeoutError as error:
        if isinstance(error, lm.LoomError):
            raise
        return CANCELLED


CANCELLERS: tuple[Canceller, ...] = (
    cancel_once,
    cancel_twice,
    cancel_every_iteration,
    cancel_by_scope,
    cancel_by_two_timeouts,
)
