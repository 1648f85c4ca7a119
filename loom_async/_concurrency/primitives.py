"""Locks, sleeping, threads, and the scope that a client lives in."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import anyio
import anyio.to_thread

P = ParamSpec("P")
R = TypeVar("R")

Lock = asyncio.Lock
sleep = asyncio.sleep
WAITING_BLOCKS_THE_THREAD = False


async def in_thread(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a blocking function in a thread of the event loop's pool."""
    return await asyncio.to_thread(function, *args, **kwargs)


_limiters: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[int, Any]] = WeakKeyDictionary()


async def in_worker(workers: int, function: Callable[..., R], /, *args: object) -> R:
    """Run a long computation in a worker thread.

    Parameters:
        workers: The number of worker threads of this event loop; further calls wait for one.
        function: The computation.
        *args: Its arguments.
    """
    loop = asyncio.get_running_loop()
    known, limiter = _limiters.get(loop, (0, None))
    if known != workers:
        limiter = anyio.CapacityLimiter(workers)
        _limiters[loop] = workers, limiter
    return await anyio.to_thread.run_sync(function, *args, limiter=limiter)


async def maybe_await(result: Any) -> Any:
    """Return the result of a plain function or of a coroutine function."""
    return await result if inspect.isawaitable(result) else result


def client_scope() -> object:
    """Return the object that a client lives as long as: the running event loop.

    Raises:
        RuntimeError: No event loop runs in this thread.
    """
    return asyncio.get_running_loop()


async def at_scope_end(close: Callable[[], Awaitable[None]]) -> AsyncGenerator[None, None]:
    """Have `close` awaited when the running event loop shuts down.

    An event loop closes the asynchronous generators that were started on it while it can still do
    I/O. The caller keeps the generator that is returned until then.
    """

    async def waiting() -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            await close()

    generator = waiting()
    await anext(generator)
    return generator


def is_script() -> bool:
    """Say whether a block that begins here also holds for other threads: in a task it does not."""
    return False
