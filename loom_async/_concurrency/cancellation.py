"""Finishes work although its caller is cancelled; how long a cancelled caller waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeAlias, TypeVar

import anyio

P = ParamSpec("P")
R = TypeVar("R")

#: Tells the server to end a call; returns False if the server could not be told.
EndCall: TypeAlias = Callable[[], Coroutine[Any, Any, bool]]

# Most replies arrive sooner. Waiting for them saves the command that ends the call.
_SECONDS_TO_REPLY = 0.02
_SECONDS_BETWEEN_ENDS = 0.25
SECONDS_TO_END = 2.0


async def shielded(
    function: Callable[P, Coroutine[Any, Any, object]], /, *args: P.args, **kwargs: P.kwargs
) -> None:
    """Await a function to its end; a cancelled caller raises `CancelledError` afterwards."""
    task = asyncio.ensure_future(function(*args, **kwargs))
    cancelled: asyncio.CancelledError | None = None
    # A cancelled scope of anyio cancels its task again in each iteration of the event loop, unless
    # the task is in a shielded scope.
    with anyio.CancelScope(shield=True):
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError as error:
                cancelled = error
    if cancelled is None:
        task.result()
        return
    if not task.cancelled() and task.exception() is not None:
        raise cancelled from task.exception()
    raise cancelled


async def await_reply(call: Coroutine[Any, Any, R], end: EndCall) -> R:
    """Await a call of the driver; a cancelled caller leaves once the server has replied.

    Parameters:
        call: The call.
        end: Tells the server to end it. A server that has not started the call yet ignores that, so
            this is called repeatedly.
    """
    task = asyncio.ensure_future(call)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await shielded(end_call, task, end, SECONDS_TO_END)
        raise


async def end_call(task: asyncio.Future[Any], end: EndCall, seconds: float) -> None:
    """Wait for the reply to a call that the server has to end.

    Parameters:
        task: The call.
        end: As for `await_reply`.
        seconds: How long to tell the server; afterwards the call is cancelled.
    """
    limit = time.monotonic() + seconds
    await asyncio.wait([task], timeout=_SECONDS_TO_REPLY)
    while not task.done() and await end() and time.monotonic() < limit:
        await asyncio.wait([task], timeout=_SECONDS_BETWEEN_ENDS)
    while not task.done():  # pymongo swallows a cancel that arrives while it connects
        task.cancel()
        await asyncio.wait([task], timeout=_SECONDS_BETWEEN_ENDS)
