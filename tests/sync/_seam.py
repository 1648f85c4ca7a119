"""What tests need of threads; the tests of `loom_async` have the same names, with asyncio."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

R = TypeVar("R")


def together(*calls: Callable[[], R]) -> list[R]:
    """Run calls at once and return what each returned."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def pause() -> None:
    """Let others run."""
    time.sleep(0)
