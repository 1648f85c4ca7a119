"""The few primitives in which asyncio and threads differ; `loom_sync._seam` exports the same names."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

Lock = asyncio.Lock
sleep = asyncio.sleep


async def in_thread(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a blocking function without stopping the event loop."""
    return await asyncio.to_thread(function, *args, **kwargs)
