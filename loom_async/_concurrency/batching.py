"""Batches calls: those that start in one iteration of the event loop are sent as one, up to 100."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextvars import Context
from typing import Any, Generic, TypeVar

from .._core.trace import note
from .._core.unbatched import UNBATCHED, Unbatched

R = TypeVar("R")
T = TypeVar("T")

# Other tasks of the event loop wait while the results of a batch are processed.
_MAX_CALLS = 100


class BatchedCalls(Generic[T, R]):
    """Calls of one kind; those that start in the same iteration of the event loop become one batch.

    The busier the event loop, the larger the batches. A call never waits for another call to end.

    Parameters:
        single: Makes the call for one item.
        batch: Makes the call for many items. It returns for each item what `single` would return,
            or its error, or `UNBATCHED`.
        can_batch: Says whether an item may be part of a batch; called only if many calls run.
        max_single: How many calls may run by themselves; further calls are batched.
        min_batch: A smaller batch is sent as single calls.
    """

    def __init__(
        self,
        single: Callable[[T], Coroutine[Any, Any, R]],
        batch: Callable[[Sequence[T]], Awaitable[Sequence[R | Unbatched | Exception]]],
        can_batch: Callable[[T], bool],
        *,
        max_single: int,
        min_batch: int,
    ) -> None:
        self._single = single
        self._batch = batch
        self._can_batch = can_batch
        self._max_single = max_single
        self._min_batch = min_batch
        self._running = 0
        self._waiting: list[_Call[T, R]] = []
        self._tasks: dict[asyncio.Task[None], list[_Call[T, R]]] = {}

    async def __call__(self, item: T) -> R:
        """Make the call for an item."""
        self._running += 1
        try:
            if self._running > self._max_single and self._can_batch(item):
                result = await self._batched(item)
                if result is not UNBATCHED:
                    return result
            return await self._single(item)
        finally:
            self._running -= 1

    async def _batched(self, item: T) -> R | Unbatched:
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._start)
        call = _Call[T, R](item, loop.create_future())
        self._waiting.append(call)
        try:
            result = await call.result
        except asyncio.CancelledError:
            self._cancel_abandoned_batches()
            raise
        if result is not UNBATCHED:
            note(f"joined with {call.others}")
        return result

    def _cancel_abandoned_batches(self) -> None:
        for task, calls in self._tasks.items():
            if all(call.result.done() for call in calls):
                task.cancel()

    def _start(self) -> None:
        calls, self._waiting = self._waiting, []
        waiting = [call for call in calls if not call.result.done()]
        for start in range(0, len(waiting), _MAX_CALLS):
            batch = waiting[start : start + _MAX_CALLS]
            if len(batch) < self._min_batch or not self._is_started(batch):
                for call in batch:
                    call.result.set_result(UNBATCHED)

    def _is_started(self, calls: list[_Call[T, R]]) -> bool:
        # In an empty context: the context of one caller does not apply to the others.
        running = self._run(calls)
        try:
            task = Context().run(asyncio.get_running_loop().create_task, running)
        except Exception:  # raised by a task factory: then each caller makes its own call
            running.close()
            return False
        self._tasks[task] = calls
        task.add_done_callback(self._tasks.pop)
        return True

    async def _run(self, calls: list[_Call[T, R]]) -> None:
        # A call that was cancelled before the batch started is not sent at all.
        calls[:] = [call for call in calls if not call.result.done()]
        if not calls:
            return
        results: Sequence[R | Unbatched | Exception]
        try:
            results = await self._batch([call.item for call in calls])
        except Exception as error:
            results = [error] * len(calls)
        except BaseException:
            for call in calls:
                call.result.cancel()
            raise
        for call, result in zip(calls, results, strict=True):
            call.others = len(calls) - 1
            if call.result.done():
                continue
            if isinstance(result, Exception):
                call.result.set_exception(result)
                call.result.exception()  # mark it as retrieved, in case its caller is cancelled
            else:
                call.result.set_result(result)


class _Call(Generic[T, R]):
    """One call of a batch; `others` counts the other calls."""

    __slots__ = ("item", "others", "result")

    def __init__(self, item: T, result: asyncio.Future[R | Unbatched]) -> None:
        self.item = item
        self.result = result
        self.others = 0
