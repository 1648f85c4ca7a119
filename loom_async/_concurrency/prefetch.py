"""Iterates over a generator whose next item is always produced ahead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from .cancellation import shielded

T = TypeVar("T")


@asynccontextmanager
async def prefetch(source: AsyncGenerator[T, None]) -> AsyncGenerator[AsyncIterator[T]]:
    """Give an iterator over a generator's items, which produces the next item while one is used.

    The end of the block closes the generator.
    """
    end = object()

    async def step() -> Any:
        return await anext(source, end)

    task = asyncio.create_task(step())

    async def items() -> AsyncGenerator[T, None]:
        nonlocal task
        while (item := await task) is not end:
            task = asyncio.create_task(step())
            yield item

    iterator = items()
    try:
        yield iterator
    finally:
        await iterator.aclose()  # it is suspended at its `yield`, so this does not wait
        await shielded(_end, task, source)


async def _end(task: asyncio.Task[Any], source: AsyncGenerator[Any, None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await source.aclose()
