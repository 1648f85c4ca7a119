"""What each operation did, in the log: `logging.getLogger("loom")` at the level DEBUG.

A line has the name of the operation and of its model, how it went and how long it took. It has no
value, no id and no address.
"""

from __future__ import annotations

import logging
import time
from contextvars import ContextVar

logger = logging.getLogger("loom")
_notes: ContextVar[list[str] | None] = ContextVar("loom_trace", default=None)


class Trace:
    """One call of the driver, from its start to its end."""

    __slots__ = ("_action", "_notes", "_start")

    def __init__(self, action: str) -> None:
        self._action = action
        self._notes: list[str] = []
        self._start = time.perf_counter()
        _notes.set(self._notes)

    def end(self, error: BaseException | None) -> None:
        """Write the line of the call."""
        milliseconds = (time.perf_counter() - self._start) * 1000
        how = ", ".join(self._notes) or "alone"
        failure = "" if error is None else f", {type(error).__name__}"
        logger.debug("%s: %s%s, %.1f ms", self._action, how, failure, milliseconds)


def begun(action: str) -> Trace | None:
    """Return the trace of a call that begins; None while none are written.

    Parameters:
        action: What is being done: "persist User".
    """
    return Trace(action) if logger.isEnabledFor(logging.DEBUG) else None


def note(how: str) -> None:
    """Say how the present call goes: "joined with 12", "repeated"."""
    notes = _notes.get()
    if notes is not None:
        notes.append(how)
