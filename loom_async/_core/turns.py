"""Whose turn it is to work on objects: one task or thread at a time, in order of arrival.

A claim is to all the objects of an operation at once and comes true when it is first in line for
each of them. Claims stand in every line in the same order and so never wait for each other in a
circle; only a thread can close one, by stopping for what its own event loop must end, and that is
refused.

Lines are shared by all threads and event loops of a process, since an object may be. Nothing waits
here: a claim has a future, for its caller's own kind of waiting.

Nearly every claim is to one object that nobody else works on. It comes and goes by one atomic
change of a dict, without the lock: whoever stands behind another looks again whether that one is
still there, and whoever goes looks again whether somebody stands behind.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Future
from types import FrameType
from typing import Any, Protocol

from .errors import ObjectInUse


class EventLoop(Protocol):
    """What is asked of the loop that a task runs in."""

    def is_closed(self) -> bool:
        """Say whether its tasks will never go on."""
        ...


class Claim:
    """One operation's place in the lines for its objects.

    Parameters:
        subjects: The objects, told apart by identity; they must live until the claim is ended.
        loop: The event loop of a task that makes the claim; None for a thread, which stops for it.
        frame: Of a thread: what runs as long as the claim holds.
    """

    __slots__ = ("ahead", "comes", "frame", "is_ended", "keys", "loop", "thread")

    def __init__(
        self, subjects: Iterable[object], loop: EventLoop | None, frame: FrameType | None
    ) -> None:
        self.keys = dict.fromkeys(map(id, subjects))
        self.loop = loop
        self.frame = frame
        self.thread = threading.get_ident()
        self.ahead = 0  # in how many lines another claim is first
        self.comes: Future[None] | None = None
        self.is_ended = False

    def is_abandoned(self) -> bool:
        """Say whether it belongs to a task or a call that will never end it.

        A signal may leave a call at any instruction, also between a claim and the block that ends
        it: the frame of such a call runs in no thread any more.
        """
        if self.loop is not None:
            return self.loop.is_closed()
        return self.frame is not None and not _is_running(self.frame, self.thread)


_first: dict[int, Claim] = {}
_lines: dict[int, deque[Claim]] = {}
# The claims that a thread has stopped for.
_stopped: dict[int, Claim] = {}
_ended: deque[Claim] = deque()
# Held while the lines change. It is made in C: no signal comes between it and its block.
_guard: Any = threading.RLock()


def _is_running(frame: FrameType, thread: int) -> bool:
    running = sys._current_frames().get(thread)  # pyright: ignore[reportPrivateUsage]
    while running is not None and running is not frame:
        running = running.f_back
    return running is not None


def claim(
    subjects: Collection[object], loop: EventLoop | None, frame: FrameType | None = None
) -> Claim:
    """Stand in line for objects; `comes` is None if the turn is here, else done when it comes.

    Parameters:
        subjects: The objects.
        loop: The event loop of a task; None for a thread.
        frame: Of a thread: what runs as long as the claim holds.

    Raises:
        ObjectInUse: The thread would stop for what itself must do first.
    """
    mine = Claim(subjects, loop, frame)
    if len(mine.keys) == 1:
        (key,) = mine.keys
        if _first.setdefault(key, mine) is mine:
            return mine
    with _guard:
        _stand_in_line(mine)
        if mine.ahead:
            mine.comes = Future()
            if loop is None:
                _stop(mine, subjects)
    _leave_ended()
    return mine


def end(ended: Claim) -> None:
    """Give the turn to those next in line; a claim whose turn has not come is given up."""
    if len(ended.keys) == 1 and (ended.loop is None or not ended.loop.is_closed()):
        (key,) = ended.keys
        if key not in _lines and _first.get(key) is ended:
            del _first[key]  # which nothing else does, since its loop or its call runs
            ended.is_ended = True
            ended.frame = None
            if key in _lines:
                with _guard:
                    _call_next(key)
                _leave_ended()  # those that were next, and that nobody waits for any more
            return
    _ended.append(ended)
    _leave_ended()


def look_again(waiting: Claim) -> None:
    """Give the turn on where a signal has kept the claim before from doing so."""
    with _guard:
        for key in waiting.keys:
            first = _first.get(key)
            if first is not None and first is not waiting and first.is_abandoned():
                _leave(first)
            _call_next(key)
    _leave_ended()


def _leave_ended() -> None:
    # The garbage collector ends claims too, even while this very thread changes the lines: then
    # it is done when those are whole again.
    while _ended and not _guard._is_owned():
        with _guard:
            while _ended:
                _leave(_ended.popleft())


def _stand_in_line(mine: Claim) -> None:
    for key in mine.keys:
        first = _first.get(key)
        if first is not None and first.is_abandoned():
            _leave(first)
        # Behind those who wait, even if their turn has just become free: a claim to several objects
        # that overtook one of them could hold what that one waits for, and wait for what it holds.
        if key in _lines or _first.setdefault(key, mine) is not mine:
            _lines.setdefault(key, deque()).append(mine)
            mine.ahead += 1
            _call_next(key)


def _stop(mine: Claim, subjects: Collection[object]) -> None:
    if mine.thread in _threads_before(mine):
        _leave(mine)
        kinds = " or ".join(sorted({type(subject).__name__ for subject in subjects}))
        raise ObjectInUse(
            f"an operation on this {kinds} has begun in this thread and cannot end while the "
            "thread waits for it",
            hint="in an event loop, await the _async method: persist_async() for persist()",
        )
    _stopped[mine.thread] = mine


def _line(key: int) -> Iterator[Claim]:
    first = _first.get(key)
    if first is not None:
        yield first
    yield from _lines.get(key, ())


def _leave(leaving: Claim) -> None:
    # In an order that a signal may interrupt anywhere: it is made again, and does what is left.
    if leaving.is_ended:
        return
    if _stopped.get(leaving.thread) is leaving:
        del _stopped[leaving.thread]
    for key in leaving.keys:
        line = _lines.get(key)
        if _first.get(key) is leaving:
            del _first[key]
        elif line is not None and leaving in line:
            line.remove(leaving)
            if not line:
                del _lines[key]
        _call_next(key)
    leaving.is_ended = True
    leaving.frame = None


def _call_next(key: int) -> None:
    """Give a turn that nobody has to the first of those who wait for it."""
    line = _lines.get(key)
    if not line or _first.setdefault(key, line[0]) is not line[0]:
        return
    next_claim = line.popleft()
    if not line:
        del _lines[key]
    next_claim.ahead -= 1
    if next_claim.ahead or next_claim.comes is None:
        return
    if next_claim.is_abandoned():
        _ended.append(next_claim)
        return
    _stopped.pop(next_claim.thread, None)
    if next_claim.comes.set_running_or_notify_cancel():
        next_claim.comes.set_result(None)


def _threads_before(waiting: Claim) -> set[int]:
    """Return the threads that must run before the turn of a claim comes."""
    seen = {waiting}
    unfollowed = [waiting]
    while unfollowed:
        for earlier in _earlier(unfollowed.pop()):
            for needed in (earlier, _stopped.get(earlier.thread)):
                if needed is not None and needed not in seen:
                    seen.add(needed)
                    unfollowed.append(needed)
    return {claim.thread for claim in seen - {waiting} if not claim.is_abandoned()}


def _earlier(waiting: Claim) -> Iterator[Claim]:
    if not waiting.ahead:
        return
    for key in waiting.keys:
        for other in _line(key):
            if other is waiting:
                break
            yield other


def _forget_after_fork() -> None:
    # Whoever stood in line in another thread of the parent does not exist in the child.
    global _guard
    _guard = threading.RLock()
    thread = threading.get_ident()
    for line in (_lines, _stopped, _ended):
        line.clear()
    for key in [key for key, first in _first.items() if first.thread != thread]:
        del _first[key]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
