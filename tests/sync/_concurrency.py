"""What tests need of threads; the tests of `loom_async` have the same names, with asyncio."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

R = TypeVar("R")


def together(*calls: Callable[[], R]) -> list[R]:
    """Run calls at once and return what each returned."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def gathered(*calls: Callable[[], R]) -> list[R]:
    """Run calls at once, in the context of the caller, and return what each returned."""
    contexts = [copy_context() for _ in calls]
    with ThreadPoolExecutor(len(calls)) as pool:
        pairs = zip(contexts, calls, strict=True)
        return [future.result() for future in [pool.submit(c.run, call) for c, call in pairs]]


def pause() -> None:
    """Let others run."""
    time.sleep(0)
