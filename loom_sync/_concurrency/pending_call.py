"""The result of a call, kept until it is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from loom_sync._concurrency.cancellation import EndCall

R = TypeVar("R")


class PendingCall(Generic[R]):
    """The result of a call, kept until it is used."""

    def __init__(self) -> None:
        self._results: list[R] = []

    @property
    def is_empty(self) -> bool:
        """True if no result is kept."""
        return not self._results

    def result(self, call: Callable[[], R], *, is_immediate: bool = False) -> R:
        """Return the kept result, else that of a new call."""
        if not self._results:
            self._results.append(call())
        return self._results[0]

    def take(self) -> None:
        """Forget the result: the caller has used it."""
        self._results.clear()

    def end(self, end: EndCall, *, must_reply: bool) -> None:
        """Forget the result."""
        self._results.clear()
