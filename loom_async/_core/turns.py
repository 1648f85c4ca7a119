"""Whose turn it is to work on an object: one task or thread at a time, in order of arrival.

A turn is shared by all threads and event loops of a process, since an object may be. Nothing waits
here: a caller that must wait is given a future, for its own kind of waiting.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from concurrent.futures import Future

_guard = threading.Lock()
_queues: dict[int, deque[Future[None]]] = {}


def take_turn(subject: object) -> Future[None] | None:
    """Take the turn for an object and return None, or a future that is done when it comes.

    Parameters:
        subject: Any object, told apart by identity; it must live until the turn is passed on.
    """
    with _guard:
        waiting = _queues.get(id(subject))
        if waiting is None:
            _queues[id(subject)] = deque()
            return None
        future: Future[None] = Future()
        waiting.append(future)
        return future


def pass_turn(subject: object) -> None:
    """Give the turn to who has waited longest and has not given up."""
    with _guard:
        waiting = _queues[id(subject)]
        while waiting:
            future = waiting.popleft()
            if future.set_running_or_notify_cancel():
                break
        else:
            del _queues[id(subject)]
            return
    future.set_result(None)


def give_up(subject: object, future: Future[None]) -> None:
    """Wait no longer; a turn that has come in the meantime is passed on."""
    if not future.cancel():
        pass_turn(subject)


def _forget_after_fork() -> None:
    # Whoever had a turn in another thread of the parent does not exist in the child.
    global _guard
    _guard = threading.Lock()
    _queues.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
