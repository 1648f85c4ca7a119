"""Concurrency for tests: by asyncio here, by threads in the tests of `loom_sync`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

R = TypeVar("R")


async def together(*calls: Callable[[], Awaitable[R]]) -> list[R]:
    """Run calls concurrently and return their results."""
    return await asyncio.gather(*(call() for call in calls))


async def gathered(*calls: Callable[[], Awaitable[R]]) -> list[R]:
    """Run calls concurrently in the context of the caller, and return their results."""
    return await together(*calls)


async def pause() -> None:
    """Let other tasks run."""
    await asyncio.sleep(0)
