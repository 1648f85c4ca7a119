"""The few primitives in which asyncio and threads differ; `loom_sync._seam` has the same names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

from ._core.turns import claim, end

P = ParamSpec("P")
R = TypeVar("R")

Lock = asyncio.Lock
sleep = asyncio.sleep


async def in_thread(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a blocking function without stopping the event loop."""
    return await asyncio.to_thread(function, *args, **kwargs)


def client_scope() -> object:
    """Return the object whose life bounds a client's: the running event loop.

    Raises:
        RuntimeError: No event loop runs here.
    """
    return asyncio.get_running_loop()


async def at_scope_end(close: Callable[[], Awaitable[None]]) -> AsyncGenerator[None, None]:
    """Have `close` awaited when the running loop shuts down; keep the result until then.

    A loop closes the asynchronous generators that were begun on it while it can still do I/O.
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
    """Say whether what is set here holds for the threads of the process as well: not in a task."""
    return False


@asynccontextmanager
async def exclusively(*subjects: object) -> AsyncGenerator[None]:
    """Let one task or thread at a time work on objects, which need not be hashable."""
    turn = claim(subjects, asyncio.get_running_loop())
    try:
        if turn.comes is not None:
            await asyncio.wrap_future(turn.comes)
        yield
    finally:
        end(turn)
