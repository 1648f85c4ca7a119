"""Locks of objects: one holder at a time, in order of the requests, without deadlocks."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from loom_async._core import object_locks
from loom_async._core.errors import ObjectInUse
from loom_async._core.object_locks import LockRequest, release, request_lock

R = TypeVar("R")


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    yield
    assert [
        *object_locks._holders,
        *object_locks._queues,
        *object_locks._blocked_threads,
        *object_locks._to_release,
    ] == []


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that only stands for the tasks of this thread."""
    made = asyncio.new_event_loop()
    yield made
    made.close()


def in_thread(function: Callable[[], R]) -> R:
    """Return what a function returns in another thread."""
    result: list[R] = []
    thread = threading.Thread(target=lambda: result.append(function()))
    thread.start()
    thread.join()
    return result[0]


def is_granted(request: LockRequest) -> bool:
    return request.granted is None or request.granted.done()


def test_locks_are_granted_in_the_order_of_the_requests(loop: asyncio.AbstractEventLoop) -> None:
    subject: dict[str, int] = {}  # not hashable
    held, first, second = (request_lock([subject], loop) for _ in range(3))
    assert [is_granted(request) for request in (held, first, second)] == [True, False, False]
    release(held)
    assert [is_granted(request) for request in (first, second)] == [True, False]
    release(first)
    assert is_granted(second)
    release(second)


def test_equal_objects_have_locks_of_their_own() -> None:
    one, other = request_lock([[1]], None), request_lock([[1]], None)
    assert is_granted(one)
    assert is_granted(other)
    release(one)
    release(other)


def test_the_locks_of_one_request_are_granted_together(loop: asyncio.AbstractEventLoop) -> None:
    a, b, c, d = object(), object(), object(), object()
    first = request_lock([a], loop)
    both = request_lock([c, b, a, b], loop)
    after = request_lock([b], loop)
    unrelated = request_lock([d], loop)
    assert [is_granted(request) for request in (both, after, unrelated)] == [False, False, True]
    release(first)
    assert [is_granted(request) for request in (both, after)] == [True, False]
    release(both)
    assert is_granted(after)
    release(after)
    release(unrelated)


def test_a_request_that_was_released_is_passed_over(loop: asyncio.AbstractEventLoop) -> None:
    a, b = object(), object()
    held, first, second, third = (request_lock([a, b], loop) for _ in range(4))
    release(first)
    release(held)
    assert is_granted(second)
    release(second)  # before it was taken up: the next has it now
    assert is_granted(third)
    release(third)


def test_a_thread_does_not_wait_for_itself(loop: asyncio.AbstractEventLoop) -> None:
    subject = object()
    held = request_lock([subject], loop)
    with pytest.raises(ObjectInUse, match="this int or object has begun in this thread"):
        request_lock([subject, 5], None)
    other = in_thread(lambda: request_lock([subject], None))
    mine = request_lock([subject], loop)
    release(held)
    # The other thread has it, and after that this one: it would wait for what it does itself.
    with pytest.raises(ObjectInUse):
        request_lock([subject], None)
    release(mine)
    blocked = request_lock([subject], None)
    assert not is_granted(blocked)
    release(other)
    assert is_granted(blocked)
    release(blocked)


def test_a_thread_does_not_wait_for_one_that_waits_for_it(
    loop: asyncio.AbstractEventLoop,
) -> None:
    a, b, c = object(), object(), object()
    mine = request_lock([b], loop)
    theirs = in_thread(lambda: request_lock([a, b], None))
    with pytest.raises(ObjectInUse):
        request_lock([a], None)
    # A request behind that of the other thread does not delay it.
    behind = request_lock([c], loop)
    release(mine)
    assert is_granted(theirs)
    waiting = request_lock([a], None)
    release(theirs)
    assert is_granted(waiting)
    release(waiting)
    release(behind)


def test_a_thread_does_not_wait_for_a_loop_whose_thread_waits_for_it(
    loop: asyncio.AbstractEventLoop,
) -> None:
    a, b = object(), object()
    mine = request_lock([a], loop)

    def begin() -> tuple[LockRequest, LockRequest]:
        return request_lock([b], loop), request_lock([a], None)

    theirs, stopped = in_thread(begin)
    with pytest.raises(ObjectInUse):
        request_lock([b], None)
    release(mine)
    release(stopped)
    release(theirs)


def test_requests_of_a_closed_loop_are_dropped() -> None:
    subject = object()
    lost = asyncio.new_event_loop()
    held, waiting = request_lock([subject], lost), request_lock([subject], lost)
    lost.close()
    mine = request_lock([subject], None)
    assert is_granted(mine)
    release(held)  # when the collector finds its task
    release(waiting)
    release(mine)


def test_a_request_that_the_garbage_collector_releases(loop: asyncio.AbstractEventLoop) -> None:
    """The collector may run in the thread that is changing the queues at that moment."""

    class CollectingLoop:
        def is_closed(self) -> bool:
            gc.collect()
            return False

    class Task:
        def __init__(self) -> None:
            self.itself = self
            self.request = request_lock([subject], CollectingLoop())

        def __del__(self) -> None:
            release(self.request)

    subject = object()
    Task()
    assert id(subject) in object_locks._holders
    mine = request_lock([subject], loop)
    assert is_granted(mine)
    release(mine)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_requests_of_other_threads_are_dropped_in_a_forked_process() -> None:
    one, other = object(), object()
    mine = request_lock([one], None)
    theirs = in_thread(lambda: request_lock([other], None))
    pid = os.fork()
    if pid == 0:
        is_free = is_granted(request_lock([other], None))
        release(mine)
        os._exit(7 if is_free else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    release(mine)
    release(theirs)


def test_a_request_for_several_objects_overtakes_none_that_waits(
    loop: asyncio.AbstractEventLoop,
) -> None:
    """Also between the release of a lock and its grant to the next request."""
    one, other = [1], [2]
    held = request_lock([one], loop)
    waiting = request_lock([one, other], loop)
    del object_locks._holders[id(one)]  # as far as `release` has come when another thread runs
    overtaking = request_lock([one, other], loop)
    assert [is_granted(request) for request in (waiting, overtaking)] == [True, False]
    held.is_released = True
    release(waiting)
    assert is_granted(overtaking)
    release(overtaking)


def test_threads_never_hold_one_lock_at_the_same_time() -> None:
    subjects = [[0] for _ in range(3)]
    met: list[int] = []

    def work(seed: int) -> int:
        choose = random.Random(seed)
        for _ in range(1_500):
            mine = choose.sample(subjects, choose.choice((1, 1, 1, 2, 3)))
            request = request_lock(mine, None)
            if request.granted is not None:
                request.granted.result(timeout=30)
            for subject in mine:
                subject[0] += 1
                met.extend(subject[:1] if subject[0] != 1 else [])
            for subject in mine:
                subject[0] -= 1
            release(request)
        return seed

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads change places nearly everywhere
    try:
        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(work, range(6))) == list(range(6))
    finally:
        sys.setswitchinterval(before)
    assert met == []
