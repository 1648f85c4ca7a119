"""Locks, sleeping, threads, and the scope that a client lives in."""

from __future__ import annotations

import atexit
import inspect
import os
import threading
import time
from collections.abc import Callable, Generator
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

Lock = threading.Lock
sleep = time.sleep
WAITING_BLOCKS_THE_THREAD = True


def in_thread(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a blocking function in the caller's thread."""
    return function(*args, **kwargs)


def in_worker(workers: int, function: Callable[..., R], /, *args: object) -> R:
    """Run a long computation in the caller's thread."""
    return function(*args)


def maybe_await(result: Any) -> Any:
    """Return the result of a plain function; refuse that of a coroutine function."""
    if inspect.iscoroutine(result):
        result.close()
        raise TypeError(f"{result.__qualname__} is a coroutine function: use a plain one here")
    return result


class _Process:
    """Stands for this process, whose end is the end of its clients."""


_process = _Process()


def _forget_after_fork() -> None:
    # A child by fork is another process: its parent's clients are not its own.
    global _process
    _process = _Process()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


def client_scope() -> object:
    """Return the object that a client lives as long as: the process."""
    return _process


def at_scope_end(close: Callable[[], None]) -> Generator[None, None, None]:
    """Have `close` called when the process ends; closing the generator calls it now."""

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
    """Say whether a block that begins here also holds for other threads: in a task it does not."""
    return threading.current_thread() is threading.main_thread() and not _in_event_loop()


def _in_event_loop() -> bool:
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
