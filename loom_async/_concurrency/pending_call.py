"""A call that continues when its caller is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from pymongo.errors import InvalidOperation

from .cancellation import SECONDS_TO_END, EndCall, end_call

R = TypeVar("R")


class PendingCall(Generic[R]):
    """A call that continues when its caller is cancelled, and whose result the next caller gets."""

    def __init__(self) -> None:
        self._task: asyncio.Future[R] | None = None
        self._results: list[R] = []

    @property
    def is_empty(self) -> bool:
        """True if no call is running and no result is kept."""
        return self._task is None and not self._results

    async def result(
        self, call: Callable[[], Coroutine[Any, Any, R]], *, is_immediate: bool = False
    ) -> R:
        """Return the kept result, else that of the running call, else that of a new call.

        Parameters:
            call: Makes the new call.
            is_immediate: Whether the call returns without waiting, and needs no task of its own.
        """
        if not self._results:
            if self._task is None and is_immediate:
                result = await call()
            else:
                result = await self._awaited(call)
            self._results.append(result)
        return self._results[0]

    async def _awaited(self, call: Callable[[], Coroutine[Any, Any, R]]) -> R:
        task = self._task = self._task or asyncio.ensure_future(call())
        try:
            result = await asyncio.shield(task)
        except BaseException as error:
            if self._task is not task and task.cancelled() and not _is_cancelled():
                raise InvalidOperation("another task has ended the call") from error
            if task.done() and (task.cancelled() or task.exception()):
                self._task = None
            raise
        self._task = None
        return result

    def take(self) -> None:
        """Forget the result: the caller has used it."""
        self._results.clear()

    async def end(self, end: EndCall, *, must_reply: bool) -> None:
        """End the running call, and forget its result.

        Parameters:
            end: As for `await_reply`.
            must_reply: Whether something may stay open on the server unless its reply is awaited.
        """
        self._results.clear()
        if self._task is not None:
            task, self._task = self._task, None
            await end_call(task, end, SECONDS_TO_END if must_reply else 0.0)
            if not task.cancelled():
                task.exception()  # mark it as retrieved: no caller waits for it


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
