"""Whose turn it is to work on an object: one task or thread at a time, in order of arrival.

A turn is shared by all threads and event loops of a process, since an object may be. Nothing waits
here: a caller that must wait is given a future, for its own kind of waiting.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from concurrent.futures import Future

from .errors import ObjectInUse


class _Turn:
    """Who works on an object, and who waits to: threads, for the loops that run in them too."""

    def __init__(self) -> None:
        self.holder = threading.get_ident()
        self.waiting: deque[tuple[Future[None], int]] = deque()

    def involves(self, thread: int) -> bool:
        return self.holder == thread or any(
            waits == thread and not future.cancelled() for future, waits in self.waiting
        )


_guard = threading.Lock()
_turns: dict[int, _Turn] = {}


def take_turn(subject: object, *, blocking: bool) -> Future[None] | None:
    """Take the turn for an object and return None, or a future that is done when it comes.

    Parameters:
        subject: Any object, told apart by identity; it must live until the turn is passed on.
        blocking: Whether the caller stops its thread until the turn comes.

    Raises:
        ObjectInUse: The thread would stop for what itself must do first.
    """
    thread = threading.get_ident()
    with _guard:
        turn = _turns.get(id(subject))
        if turn is None:
            _turns[id(subject)] = _Turn()
            return None
        if blocking and turn.involves(thread):
            raise ObjectInUse(
                f"an operation on this {type(subject).__name__} has begun in this thread and "
                "cannot end while the thread waits for it",
                hint="in an event loop, await the _async method: persist_async() for persist()",
            )
        future: Future[None] = Future()
        turn.waiting.append((future, thread))
        return future


def pass_turn(subject: object) -> None:
    """Give the turn to who has waited longest and has not given up."""
    with _guard:
        turn = _turns[id(subject)]
        while turn.waiting:
            future, turn.holder = turn.waiting.popleft()
            if future.set_running_or_notify_cancel():
                break
        else:
            del _turns[id(subject)]
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
    for key in [key for key, turn in _turns.items() if turn.holder != threading.get_ident()]:
        del _turns[key]
    for turn in _turns.values():
        turn.waiting.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
