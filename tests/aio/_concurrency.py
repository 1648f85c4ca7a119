"""What tests need of asyncio; the tests of `loom_sync` have the same names, with threads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

R = TypeVar("R")


async def together(*calls: Callable[[], Awaitable[R]]) -> list[R]:
    """Run calls at once and return what each returned."""
    return await asyncio.gather(*(call() for call in calls))


async def gathered(*calls: Callable[[], Awaitable[R]]) -> list[R]:
    """Run calls at once, in the context of the caller, and return what each returned."""
    return await together(*calls)


async def pause() -> None:
    """Let others run."""
    await asyncio.sleep(0)
