"""Locks on objects, shared by all tasks and threads of the process.

An operation requests the locks of all its objects at once. A request is granted when it is first
in the queue of each object. Requests enter all queues in one order, under one mutex, so that they
never wait for each other in a circle. Only a thread could close a circle, by blocking for a task of
its own event loop: such a request is refused.

Nothing here waits: a request has a future, and its caller waits for that in its own way.

Nearly every request is for one object that no other operation uses. Such a lock is taken and
released by one atomic dict operation, without the mutex. A waiter rechecks the holder after it has
queued; a holder rechecks the queue after it has released.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Collection, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Protocol

from .errors import ObjectInUse


class EventLoop(Protocol):
    """The part of an event loop that a lock needs."""

    def is_closed(self) -> bool:
        """Say whether its tasks can never continue."""
        ...


@dataclass(slots=True, eq=False)
class LockRequest:
    """The request of one operation for the locks of its objects.

    `keys` are the identities of the objects, which must live until the request is released.
    `loop` is the event loop of a task; None for a thread, which blocks until the lock is granted.
    `frame` is the frame of a thread that holds the lock while it runs.
    `blocked_by` is the number of objects whose lock another request holds.
    `granted` is done when the locks are granted; None if they were granted at once.
    """

    keys: dict[int, None]
    loop: EventLoop | None
    frame: FrameType | None
    thread: int = field(default_factory=threading.get_ident)
    blocked_by: int = 0
    granted: Future[None] | None = None
    is_released: bool = False

    def is_abandoned(self) -> bool:
        """Say whether its task or call can never release it.

        The handler of a signal may raise an error at any instruction, also between a request and
        the block that releases it. The frame of such a call runs in no thread.
        """
        if self.loop is not None:
            return self.loop.is_closed()
        return self.frame is not None and not _is_running(self.frame, self.thread)


_holders: dict[int, LockRequest] = {}
_queues: dict[int, deque[LockRequest]] = {}
# The request that each blocked thread waits for.
_blocked_threads: dict[int, LockRequest] = {}
_to_release: deque[LockRequest] = deque()
# Held while queues change. It is implemented in C: no signal arrives between acquiring it and
# entering its block.
_mutex: Any = threading.RLock()


def _is_running(frame: FrameType, thread: int) -> bool:
    running = sys._current_frames().get(thread)  # pyright: ignore[reportPrivateUsage]
    while running is not None and running is not frame:
        running = running.f_back
    return running is not None


def request_lock(
    objects: Collection[object], loop: EventLoop | None, frame: FrameType | None = None
) -> LockRequest:
    """Request the locks of objects; `granted` is None if they are granted at once.

    Parameters:
        objects: The objects.
        loop: The event loop of a task; None for a thread.
        frame: The frame of a thread that holds the lock while it runs.

    Raises:
        ObjectInUse: The thread would block for an operation that only itself can finish.
    """
    request = LockRequest(dict.fromkeys(map(id, objects)), loop, frame)
    if len(request.keys) == 1:
        (key,) = request.keys
        if _holders.setdefault(key, request) is request:
            return request
    with _mutex:
        _enqueue(request)
        if request.blocked_by:
            request.granted = Future()
            if loop is None:
                _block_thread(request, objects)
    _withdraw_released()
    return request


def release(request: LockRequest) -> None:
    """Release the locks of a request, or withdraw a request that has not been granted."""
    if len(request.keys) == 1 and (request.loop is None or not request.loop.is_closed()):
        (key,) = request.keys
        if key not in _queues and _holders.get(key) is request:
            del _holders[key]  # no other code deletes it while its event loop or its call runs
            request.is_released = True
            request.frame = None
            if key in _queues:
                with _mutex:
                    _grant_next(key)
                _withdraw_released()  # a granted request whose caller is gone
            return
    _to_release.append(request)
    _withdraw_released()


def recheck(waiting: LockRequest) -> None:
    """Grant the locks of a waiting request if a signal kept the holder from releasing them."""
    with _mutex:
        for key in waiting.keys:
            holder = _holders.get(key)
            if holder is not None and holder is not waiting and holder.is_abandoned():
                _withdraw(holder)
            _grant_next(key)
    _withdraw_released()


def _withdraw_released() -> None:
    # The garbage collector may release a request while this thread changes the queues. Such a
    # request is withdrawn when the queues are consistent again.
    while _to_release and not _mutex._is_owned():
        with _mutex:
            while _to_release:
                _withdraw(_to_release.popleft())


def _enqueue(request: LockRequest) -> None:
    for key in request.keys:
        holder = _holders.get(key)
        if holder is not None and holder.is_abandoned():
            _withdraw(holder)
        # Behind the requests that wait, even if the lock has just been released. Of two requests
        # for several objects, each could otherwise hold what the other waits for.
        if key in _queues or _holders.setdefault(key, request) is not request:
            _queues.setdefault(key, deque()).append(request)
            request.blocked_by += 1
            _grant_next(key)


def _block_thread(request: LockRequest, objects: Collection[object]) -> None:
    if request.thread in _threads_blocking(request):
        _withdraw(request)
        kinds = " or ".join(sorted({type(one).__name__ for one in objects}))
        raise ObjectInUse(
            f"an operation on this {kinds} has begun in this thread and cannot end while the "
            "thread waits for it",
            hint="in an event loop, await the _async method: persist_async() for persist()",
        )
    _blocked_threads[request.thread] = request


def _requests_for(key: int) -> Iterator[LockRequest]:
    holder = _holders.get(key)
    if holder is not None:
        yield holder
    yield from _queues.get(key, ())


def _withdraw(request: LockRequest) -> None:
    # A signal may interrupt this anywhere: the next call does the rest.
    if request.is_released:
        return
    if _blocked_threads.get(request.thread) is request:
        del _blocked_threads[request.thread]
    for key in request.keys:
        queue = _queues.get(key)
        if _holders.get(key) is request:
            del _holders[key]
        elif queue is not None and request in queue:
            queue.remove(request)
            if not queue:
                del _queues[key]
        _grant_next(key)
    request.is_released = True
    request.frame = None


def _grant_next(key: int) -> None:
    """Give a released lock to the first request in its queue."""
    queue = _queues.get(key)
    if not queue or _holders.setdefault(key, queue[0]) is not queue[0]:
        return
    request = queue.popleft()
    if not queue:
        del _queues[key]
    request.blocked_by -= 1
    if request.blocked_by or request.granted is None:
        return
    if request.is_abandoned():
        _to_release.append(request)
        return
    _blocked_threads.pop(request.thread, None)
    if request.granted.set_running_or_notify_cancel():
        request.granted.set_result(None)


def _threads_blocking(waiting: LockRequest) -> set[int]:
    """Return the threads that must run before a request can be granted."""
    seen = {waiting}
    unvisited = [waiting]
    while unvisited:
        for earlier in _requests_before(unvisited.pop()):
            for needed in (earlier, _blocked_threads.get(earlier.thread)):
                if needed is not None and needed not in seen:
                    seen.add(needed)
                    unvisited.append(needed)
    return {request.thread for request in seen - {waiting} if not request.is_abandoned()}


def _requests_before(waiting: LockRequest) -> Iterator[LockRequest]:
    if not waiting.blocked_by:
        return
    for key in waiting.keys:
        for other in _requests_for(key):
            if other is waiting:
                break
            yield other


def _forget_after_fork() -> None:
    # The other threads of the parent, and their requests, do not exist in the child.
    global _mutex
    _mutex = threading.RLock()
    thread = threading.get_ident()
    for requests in (_queues, _blocked_threads, _to_release):
        requests.clear()
    for key in [key for key, holder in _holders.items() if holder.thread != thread]:
        del _holders[key]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
