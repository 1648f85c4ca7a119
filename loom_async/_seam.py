"""The few primitives in which asyncio and threads differ; `loom_sync._seam` has the same names."""

from __future__ import annotations

import asyncio
import inspect
import sys
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Sequence,
)
from concurrent.futures import Future
from contextlib import aclosing, asynccontextmanager
from contextvars import Context
from pathlib import Path
from typing import Any, BinaryIO, Generic, ParamSpec, Self, TypeAlias, TypeVar, cast
from weakref import WeakKeyDictionary

import anyio
import anyio.to_thread
from pymongo.asynchronous import pool, topology
from pymongo.errors import InvalidOperation

from ._core.alone import ALONE, Alone
from ._core.pieces import checked_bytes, is_bytes, iterated_bytes
from ._core.trace import note
from ._core.transaction import not_let_go, seconds_to_claim
from ._core.turns import claim, end

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

Lock = asyncio.Lock
sleep = asyncio.sleep
WAITING_STOPS_THE_THREAD = False


async def _wait_on(condition: Any, timeout: float | None) -> bool:
    """Wait for a notification, and hold the condition's lock afterwards, also when cancelled."""
    try:
        async with asyncio.timeout(timeout):
            return bool(await condition.wait())
    except TimeoutError:
        return False


if sys.version_info < (3, 12):
    # The driver uses `asyncio.wait_for`, which waits in another task there. A call that is
    # cancelled while that task takes the lock again leaves the lock taken for ever.
    for _module in (pool, topology):
        vars(_module)["_async_cond_wait"] = _wait_on


async def in_thread(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a blocking function without stopping the event loop."""
    return await asyncio.to_thread(function, *args, **kwargs)


_limiters: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[int, Any]] = WeakKeyDictionary()


async def in_worker(count: int, function: Callable[..., R], /, *args: object) -> R:
    """Run a long computation without stopping the event loop.

    Parameters:
        count: How many may run at once in this event loop.
        function: What blocks.
        *args: Its arguments.
    """
    loop = asyncio.get_running_loop()
    known, limiter = _limiters.get(loop, (0, None))
    if known != count:
        limiter = anyio.CapacityLimiter(count)
        _limiters[loop] = count, limiter
    return await anyio.to_thread.run_sync(function, *args, limiter=limiter)


@asynccontextmanager
async def ahead(source: AsyncGenerator[T, None]) -> AsyncGenerator[AsyncIterator[T]]:
    """Give what a generator yields, which makes the next one meanwhile; both end with the block."""
    ended = object()

    async def step() -> Any:
        return await anext(source, ended)

    task = asyncio.create_task(step())

    async def items() -> AsyncGenerator[T, None]:
        nonlocal task
        while (item := await task) is not ended:
            task = asyncio.create_task(step())
            yield item

    given = items()
    try:
        yield given
    finally:
        await given.aclose()  # it waits at its `yield`: this takes no turn of the loop
        await in_any_case(_end_prefetch, task, source)


async def _end_prefetch(task: asyncio.Task[Any], source: AsyncGenerator[Any, None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await source.aclose()


async def in_any_case(
    function: Callable[P, Coroutine[Any, Any, object]], /, *args: P.args, **kwargs: P.kwargs
) -> None:
    """Do something to its end, even in a task that is cancelled meanwhile, also repeatedly."""
    task = asyncio.ensure_future(function(*args, **kwargs))
    cancelled: asyncio.CancelledError | None = None
    # The scopes of anyio cancel again on every turn of the loop, unless they are told not to.
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


# Most replies come sooner, and cost no command that ends their query.
_SECONDS_TO_REPLY = 0.02
_SECONDS_BETWEEN_ENDS = 0.25
_SECONDS_TO_END = 2.0


async def replied(call: Coroutine[Any, Any, R], end: Callable[[], Coroutine[Any, Any, bool]]) -> R:
    """Await a call of the driver; a caller that is cancelled leaves when it has its reply.

    Parameters:
        call: The call.
        end: Has the server end it, and says whether the server could be told. What has not begun
            is not ended by that: it is told again.
    """
    task = asyncio.ensure_future(call)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await in_any_case(_have_replied, task, end, _SECONDS_TO_END)
        raise


async def _have_replied(
    task: asyncio.Future[Any], end: Callable[[], Coroutine[Any, Any, bool]], seconds: float
) -> None:
    limit = time.monotonic() + seconds
    await asyncio.wait([task], timeout=_SECONDS_TO_REPLY)
    while not task.done() and await end() and time.monotonic() < limit:
        await asyncio.wait([task], timeout=_SECONDS_BETWEEN_ENDS)
    while not task.done():  # the driver swallows a cancel at moments of making a connection
        task.cancel()
        await asyncio.wait([task], timeout=_SECONDS_BETWEEN_ENDS)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Held(Generic[R]):
    """The result of a call that goes on while no caller waits for it, kept until it is taken."""

    def __init__(self) -> None:
        self._task: asyncio.Future[R] | None = None
        self._results: list[R] = []

    @property
    def is_empty(self) -> bool:
        """True if no call is under way, and no result waits to be taken."""
        return self._task is None and not self._results

    async def result(
        self, call: Callable[[], Coroutine[Any, Any, R]], *, is_at_hand: bool = False
    ) -> R:
        """Return the result that is kept, that of the call under way, or that of a new one.

        Parameters:
            call: What to call if there is neither.
            is_at_hand: Whether it returns without waiting, and needs no task of its own.
        """
        if not self._results:
            if self._task is None and is_at_hand:
                result = await call()
            else:
                result = await self._replied(call)
            self._results.append(result)
        return self._results[0]

    async def _replied(self, call: Callable[[], Coroutine[Any, Any, R]]) -> R:
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
        """Let go of the result."""
        self._results.clear()

    async def end(
        self, end: Callable[[], Coroutine[Any, Any, bool]], *, has_to_reply: bool
    ) -> None:
        """Have the call end that is under way, and let go of its result.

        Parameters:
            end: As for `replied`.
            has_to_reply: Whether something may stay on the server if its reply is not awaited.
        """
        self._results.clear()
        if self._task is not None:
            task, self._task = self._task, None
            await _have_replied(task, end, _SECONDS_TO_END if has_to_reply else 0.0)
            if not task.cancelled():
                task.exception()  # seen: no caller waits for it


async def finished(result: Any) -> Any:
    """Return what a function gives in the end, whether it is a coroutine function or not."""
    return await result if inspect.isawaitable(result) else result


Source: TypeAlias = bytes | bytearray | Path | BinaryIO | Iterable[bytes] | AsyncIterable[bytes]


async def pieces(source: Source, size: int) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of a source, in pieces of a size and a last one of what is left.

    Files are read in a thread.

    Parameters:
        source: Bytes, a path, a binary file, or an iterable of bytes, asynchronous or not.
        size: How many bytes a piece has.

    Raises:
        TypeError: It is none of these, or gives something else than bytes.
    """
    if isinstance(source, Path):
        with await in_thread(source.open, "rb") as file:
            while piece := await in_thread(file.read, size):
                yield piece
        return
    rest = bytearray()
    async with aclosing(_parts(source, size)) as parts:
        async for part in parts:
            rest += checked_bytes(part)
            while len(rest) >= size:
                yield bytes(rest[:size])
                del rest[:size]
    if rest:
        yield bytes(rest)


async def _parts(source: Any, size: int) -> AsyncGenerator[object, None]:
    if is_bytes(source):
        for start in range(0, len(source), size):
            yield bytes(source[start : start + size])
    elif (read := getattr(source, "read", None)) is not None:
        while part := await finished(await in_thread(read, size)):
            yield part
    elif isinstance(source, AsyncIterable):
        given = cast("AsyncIterable[object]", source)
        try:
            async for part in given:
                yield part
        finally:
            # A generator would be closed when it is collected, which may be much later.
            if (close := getattr(given, "aclose", None)) is not None:
                await close()
    else:
        ended = object()
        parts = iterated_bytes(source)
        while (part := await in_thread(next, parts, ended)) is not ended:
            yield part


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

    __slots__ = ("_subjects", "_task", "_turn")

    def __init__(self, *subjects: object) -> None:
        self._subjects = subjects
        self._task: asyncio.Future[Any] | None = None

    async def __aenter__(self) -> Self:
        await self._claim()
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._task is None or self._task.done():
            end(self._turn)
        else:
            self._task.add_done_callback(self._end)

    async def finish(self, work: Coroutine[Any, Any, R], has_begun: Callable[[], bool]) -> R:
        """Await work to its end, which a cancelled caller does not wait for.

        Then it goes on by itself, and the objects stay claimed until it has ended.

        Parameters:
            work: What to do.
            has_begun: Says whether any of it may have reached others. Until then it is cancelled.
        """
        self._task = task = asyncio.ensure_future(work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not has_begun():
                task.cancel()
            raise

    async def wait_for(self, future: Future[None], seconds: float) -> bool:
        """Let others work on the objects until a future is done; say whether that was in time."""
        end(self._turn)
        try:
            done, _ = await asyncio.wait([asyncio.wrap_future(future)], timeout=seconds)
        finally:
            await self._claim()
        return bool(done)

    async def _claim(self) -> None:
        self._turn = claim(self._subjects, asyncio.get_running_loop())
        if self._turn.comes is not None:
            coming = asyncio.wrap_future(self._turn.comes)
            try:
                async with asyncio.timeout(seconds_to_claim()):
                    await coming
            except TimeoutError:
                end(self._turn)
                raise not_let_go(self._subjects) from None
            except BaseException:
                end(self._turn)
                raise

    def _end(self, task: asyncio.Future[Any]) -> None:
        if not task.cancelled():
            task.exception()  # seen: the caller has been cancelled
        end(self._turn)


# Other tasks of the loop wait while the results of so many calls are taken in.
_MOST = 100


class Grouped(Generic[T, R]):
    """One kind of call, made once for all that begin it in the same turn of the event loop.

    The busier the loop, the more calls are joined; no call waits for another one to end.

    Parameters:
        alone: Makes the call for one item.
        together: Makes it for many, and gives for each what `alone` would, its error, or `ALONE`.
        can_join: Says whether an item can be one of many; asked only when many are under way.
        busy: How many calls may be under way each by itself; those that follow are joined.
        least: How many make it worth while.
    """

    def __init__(
        self,
        alone: Callable[[T], Coroutine[Any, Any, R]],
        together: Callable[[Sequence[T]], Awaitable[Sequence[R | Alone | Exception]]],
        can_join: Callable[[T], bool],
        *,
        busy: int,
        least: int,
    ) -> None:
        self._alone = alone
        self._together = together
        self._can_join = can_join
        self._busy = busy
        self._least = least
        self._under_way = 0
        self._joining: list[_Call[T, R]] = []
        self._tasks: dict[asyncio.Task[None], list[_Call[T, R]]] = {}

    async def __call__(self, item: T) -> R:
        """Make the call for an item."""
        self._under_way += 1
        try:
            if self._under_way > self._busy and self._can_join(item):
                result = await self._joined(item)
                if result is not ALONE:
                    return result
            return await self._alone(item)
        finally:
            self._under_way -= 1

    async def _joined(self, item: T) -> R | Alone:
        loop = asyncio.get_running_loop()
        if not self._joining:
            loop.call_soon(self._begin)
        call = _Call[T, R](item, loop.create_future())
        self._joining.append(call)
        try:
            result = await call.result
        except asyncio.CancelledError:
            self._end_what_nothing_awaits()
            raise
        if result is not ALONE:
            note(f"joined with {call.others}")
        return result

    def _end_what_nothing_awaits(self) -> None:
        for task, calls in self._tasks.items():
            if all(call.result.done() for call in calls):
                task.cancel()

    def _begin(self) -> None:
        calls, self._joining = self._joining, []
        waiting = [call for call in calls if not call.result.done()]
        for start in range(0, len(waiting), _MOST):
            joined = waiting[start : start + _MOST]
            if len(joined) < self._least or not self._is_begun(joined):
                for call in joined:
                    call.result.set_result(ALONE)

    def _is_begun(self, calls: list[_Call[T, R]]) -> bool:
        # In no caller's context: what holds for one of them is not for the others.
        making = self._make(calls)
        try:
            task = Context().run(asyncio.get_running_loop().create_task, making)
        except Exception:  # of a task factory: no caller waits for what has not begun
            making.close()
            return False
        self._tasks[task] = calls
        task.add_done_callback(self._tasks.pop)
        return True

    async def _make(self, calls: list[_Call[T, R]]) -> None:
        # One that was cancelled a moment ago is taken for one that was never made.
        calls[:] = [call for call in calls if not call.result.done()]
        if not calls:
            return
        made: Sequence[R | Alone | Exception]
        try:
            made = await self._together([call.item for call in calls])
        except Exception as error:
            made = [error] * len(calls)
        except BaseException:
            for call in calls:
                call.result.cancel()
            raise
        for call, value in zip(calls, made, strict=True):
            call.others = len(calls) - 1
            if call.result.done():
                continue
            if isinstance(value, Exception):
                call.result.set_exception(value)
                call.result.exception()  # seen, also by a caller that is cancelled at this moment
            else:
                call.result.set_result(value)


class _Call(Generic[T, R]):
    """One of the calls that are joined."""

    __slots__ = ("item", "others", "result")

    def __init__(self, item: T, result: asyncio.Future[R | Alone]) -> None:
        self.item = item
        self.result = result
        self.others = 0
