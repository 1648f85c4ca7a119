"""Does something in the event loop while other work waits for the server."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

R = TypeVar("R")


async def run_beside(work: Coroutine[Any, Any, R], other: Generator[object]) -> R:
    """Await work, and advance a generator to its end meanwhile; other tasks run between its items.

    If the generator raises an error, or the caller is cancelled, the work ends before that is
    raised; a cancel also cancels the work.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.sleep(0)  # the work sends its command
        for _ in other:
            await asyncio.sleep(0)
    except BaseException as error:
        other.close()
        if isinstance(error, asyncio.CancelledError):
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
    return await task
