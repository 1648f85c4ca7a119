"""The few primitives in which asyncio and threads differ; `loom_sync._seam` has the same names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
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


class Exclusively:
    """A block in which one task or thread at a time works on objects, which need not be hashable.

    A class of its own, since a save spends some 3 % of its time on it in the form of a generator.
    """

    __slots__ = ("_subjects", "_turn")

    def __init__(self, *subjects: object) -> None:
        self._subjects = subjects

    async def __aenter__(self) -> None:
        self._turn = claim(self._subjects, asyncio.get_running_loop())
        if self._turn.comes is not None:
            try:
                await asyncio.wrap_future(self._turn.comes)
            except BaseException:
                end(self._turn)
                raise

    async def __aexit__(self, *error: object) -> None:
        end(self._turn)
