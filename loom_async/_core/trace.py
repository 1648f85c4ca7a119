"""Logs a line for each call of the driver: `logging.getLogger("loom")`, level DEBUG.

It has the operation and its model, how the call was made, its error and its duration. It has no
values, no ids and no addresses.
"""

from __future__ import annotations

import logging
import time
from contextvars import ContextVar

logger = logging.getLogger("loom")
_notes: ContextVar[list[str] | None] = ContextVar("loom_trace", default=None)


class Trace:
    """The trace of one call of the driver."""

    __slots__ = ("_action", "_notes", "_start")

    def __init__(self, action: str) -> None:
        self._action = action
        self._notes: list[str] = []
        self._start = time.perf_counter()
        _notes.set(self._notes)

    def end(self, error: BaseException | None) -> None:
        """Write the line of the call."""
        milliseconds = (time.perf_counter() - self._start) * 1000
        notes = ", ".join(self._notes) or "alone"
        failure = "" if error is None else f", {type(error).__name__}"
        logger.debug("%s: %s%s, %.1f ms", self._action, notes, failure, milliseconds)


def start_trace(action: str) -> Trace | None:
    """Start the trace of a call; return None if the log omits traces.

    Parameters:
        action: What the call does: "persist User".
    """
    return Trace(action) if logger.isEnabledFor(logging.DEBUG) else None


def note(text: str) -> None:
    """Add to the trace how the current call was made: "joined with 12", "repeated"."""
    notes = _notes.get()
    if notes is not None:
        notes.append(text)
