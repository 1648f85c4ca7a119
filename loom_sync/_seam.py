"""The few primitives in which asyncio and threads differ; `loom_async._seam` has the same names."""

from __future__ import annotations

import atexit
import inspect
import os
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO, Generic, ParamSpec, Self, TypeAlias, TypeVar

from loom_async._core.alone import Alone
from loom_async._core.pieces import checked_bytes, is_bytes, iterated_bytes
from loom_async._core.transaction import not_let_go, seconds_to_claim
from loom_async._core.turns import claim, end, look_again

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

# How often a thread that waits for others sees whether a signal has ended them.
_SECONDS_TO_LOOK_AGAIN = 1.0

Lock = threading.Lock
sleep = time.sleep
WAITING_STOPS_THE_THREAD = True


def in_thread(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a blocking function: here, at once."""
    return function(*args, **kwargs)


def in_worker(count: int, function: Callable[..., R], /, *args: object) -> R:
    """Run a long computation: here, at once."""
    return function(*args)


@contextmanager
def ahead(source: Generator[T, None, None]) -> Generator[Iterator[T]]:
    """Give what a generator yields, which makes the next one meanwhile; both end with the block."""
    ended = object()
    context = copy_context()  # a thread begins without the blocks that its caller is in

    def make() -> Any:
        return context.run(lambda: next(source, ended))

    with ThreadPoolExecutor(1, "loom-batches") as pool:
        step: Future[Any] = pool.submit(make)

        def items() -> Iterator[T]:
            nonlocal step
            while (item := step.result()) is not ended:
                step = pool.submit(make)
                yield item

        try:
            yield items()
        finally:
            wait([step])
            source.close()


def in_any_case(function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
    """Do something to its end: here, as always."""
    function(*args, **kwargs)


def replied(result: R, end: Callable[[], bool]) -> R:
    """Return the result of a call of the driver, which no thread can give up."""
    return result


class Held(Generic[R]):
    """The result of a call, kept until it is taken."""

    def __init__(self) -> None:
        self._results: list[R] = []

    @property
    def is_empty(self) -> bool:
        """True if no result waits to be taken."""
        return not self._results

    def result(self, call: Callable[[], R], *, is_at_hand: bool = False) -> R:
        """Return the result that is kept, or make the call."""
        if not self._results:
            self._results.append(call())
        return self._results[0]

    def take(self) -> None:
        """Let go of the result."""
        self._results.clear()

    def end(self, end: Callable[[], bool], *, has_to_reply: bool) -> None:
        """Let go of the result."""
        self._results.clear()


def finished(result: Any) -> Any:
    """Return what a function has given; refuse what only an event loop could finish."""
    if inspect.iscoroutine(result):
        result.close()
        raise TypeError(f"{result.__qualname__} is a coroutine function: here it has to be plain")
    return result


Source: TypeAlias = bytes | bytearray | Path | BinaryIO | Iterable[bytes]


def pieces(source: Source, size: int) -> Generator[bytes, None, None]:
    """Yield the bytes of a source, in pieces of a size and a last one of what is left.

    Parameters:
        source: Bytes, a path, a binary file, or an iterable of bytes.
        size: How many bytes a piece has.

    Raises:
        TypeError: It is none of these, or gives something else than bytes.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            while piece := file.read(size):
                yield piece
        return
    rest = bytearray()
    for part in _parts(source, size):
        rest += checked_bytes(part)
        while len(rest) >= size:
            yield bytes(rest[:size])
            del rest[:size]
    if rest:
        yield bytes(rest)


def _parts(source: Any, size: int) -> Generator[object, None, None]:
    if is_bytes(source):
        for start in range(0, len(source), size):
            yield bytes(source[start : start + size])
    elif (read := getattr(source, "read", None)) is not None:
        while part := read(size):
            yield part
    else:
        yield from iterated_bytes(source)


class _Process:
    """Stands for this process, which bounds the life of its clients."""


_process = _Process()


def _begin_anew() -> None:
    # A child by fork is another process: its parent's clients are not its own.
    global _process
    _process = _Process()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


def client_scope() -> object:
    """Return the object whose life bounds a client's: the process."""
    return _process


def at_scope_end(close: Callable[[], None]) -> Generator[None, None, None]:
    """Have `close` called when the process ends; closing the result does it now."""

    def waiting() -> Generator[None, None, None]:
        try:
            yield
        finally:
            # In a child by fork these are the parent's clients, and their sockets are in use.
            if os.getpid() == process:
                atexit.unregister(generator.close)
                close()

    process = os.getpid()
    generator = waiting()
    next(generator)
    atexit.register(generator.close)
    return generator


def is_script() -> bool:
    """Say whether what is set here holds for the threads of the process as well: not in a task."""
    return threading.current_thread() is threading.main_thread() and not _in_event_loop()


def _in_event_loop() -> bool:
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class Exclusively:
    """A block in which one task or thread at a time works on objects, which need not be hashable.

    A class of its own, since a save spends some 3 % of its time on it in the form of a generator.
    """

    __slots__ = ("_frame", "_subjects", "_turn")

    def __init__(self, *subjects: object) -> None:
        self._subjects = subjects
        # A signal may leave the block before it has ended: then this frame does not run any more.
        frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
        self._frame: FrameType | None = frame

    def __enter__(self) -> Self:
        self._claim()
        return self

    def __exit__(self, *error: object) -> None:
        end(self._turn)
        self._frame = None

    def finish(self, work: R, has_begun: Callable[[], bool]) -> R:
        """Return what work has given: here it has ended by now."""
        return work

    def wait_for(self, future: Future[None], seconds: float) -> bool:
        """Let others work on the objects until a future is done; say whether that was in time."""
        end(self._turn)
        try:
            done, _ = wait([future], timeout=seconds)
        finally:
            self._claim()
        return bool(done)

    def _claim(self) -> None:
        self._turn = turn = claim(self._subjects, None, self._frame)
        seconds = seconds_to_claim()
        limit = None if seconds is None else time.monotonic() + seconds
        try:
            while turn.comes is not None and not wait([turn.comes], _SECONDS_TO_LOOK_AGAIN).done:
                if limit is not None and time.monotonic() > limit:
                    raise not_let_go(self._subjects)
                look_again(turn)
        except BaseException:
            end(turn)
            raise


class Grouped(Generic[T, R]):
    """One kind of call, made for each item alone: threads have no turns that they could share.

    Parameters:
        alone: Makes the call for one item.
        together: Would make it for many.
        can_join: Would say whether an item can be one of many.
        busy: How many calls would be too many to be made each by itself.
        least: How many would make it worth while.
    """

    def __init__(
        self,
        alone: Callable[[T], R],
        together: Callable[[Sequence[T]], Sequence[R | Alone | Exception]],
        can_join: Callable[[T], bool],
        *,
        busy: int,
        least: int,
    ) -> None:
        self._alone = alone

    def __call__(self, item: T) -> R:
        """Make the call for an item."""
        return self._alone(item)
