"""Turns: one at a time, in order, whoever gives up, and never in a circle."""

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

from loom_async._core import turns
from loom_async._core.errors import ObjectInUse
from loom_async._core.turns import Claim, claim, end

R = TypeVar("R")


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    yield
    assert [*turns._first, *turns._lines, *turns._stopped, *turns._ended] == []


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


def has_come(turn: Claim) -> bool:
    return turn.comes is None or turn.comes.done()


def test_turns_come_in_order(loop: asyncio.AbstractEventLoop) -> None:
    subject: dict[str, int] = {}  # not hashable
    held, first, second = (claim([subject], loop) for _ in range(3))
    assert [has_come(turn) for turn in (held, first, second)] == [True, False, False]
    end(held)
    assert [has_come(turn) for turn in (first, second)] == [True, False]
    end(first)
    assert has_come(second)
    end(second)


def test_equal_objects_have_turns_of_their_own() -> None:
    one, other = claim([[1]], None), claim([[1]], None)
    assert has_come(one)
    assert has_come(other)
    end(one)
    end(other)


def test_all_objects_of_an_operation_at_once(loop: asyncio.AbstractEventLoop) -> None:
    a, b, c, d = object(), object(), object(), object()
    first = claim([a], loop)
    both = claim([c, b, a, b], loop)
    after = claim([b], loop)
    unrelated = claim([d], loop)
    assert [has_come(turn) for turn in (both, after, unrelated)] == [False, False, True]
    end(first)
    assert [has_come(turn) for turn in (both, after)] == [True, False]
    end(both)
    assert has_come(after)
    end(after)
    end(unrelated)


def test_who_gives_up_is_passed_over(loop: asyncio.AbstractEventLoop) -> None:
    a, b = object(), object()
    held, first, second, third = (claim([a, b], loop) for _ in range(4))
    end(first)
    end(held)
    assert has_come(second)
    end(second)  # before it was taken up: the next has it now
    assert has_come(third)
    end(third)


def test_a_thread_does_not_wait_for_itself(loop: asyncio.AbstractEventLoop) -> None:
    subject = object()
    held = claim([subject], loop)
    with pytest.raises(ObjectInUse, match="this int or object has begun in this thread"):
        claim([subject, 5], None)
    other = in_thread(lambda: claim([subject], None))
    mine = claim([subject], loop)
    end(held)
    # The other thread has it, and after that this one: it would wait for what it does itself.
    with pytest.raises(ObjectInUse):
        claim([subject], None)
    end(mine)
    blocked = claim([subject], None)
    assert not has_come(blocked)
    end(other)
    assert has_come(blocked)
    end(blocked)


def test_a_thread_does_not_wait_for_one_that_waits_for_it(
    loop: asyncio.AbstractEventLoop,
) -> None:
    a, b, c = object(), object(), object()
    mine = claim([b], loop)
    theirs = in_thread(lambda: claim([a, b], None))
    with pytest.raises(ObjectInUse):
        claim([a], None)
    # What stands behind the other thread's claim is not before this one.
    behind = claim([c], loop)
    end(mine)
    assert has_come(theirs)
    waiting = claim([a], None)
    end(theirs)
    assert has_come(waiting)
    end(waiting)
    end(behind)


def test_a_thread_does_not_wait_for_a_loop_whose_thread_waits_for_it(
    loop: asyncio.AbstractEventLoop,
) -> None:
    a, b = object(), object()
    mine = claim([a], loop)

    def begin() -> tuple[Claim, Claim]:
        return claim([b], loop), claim([a], None)

    theirs, stopped = in_thread(begin)
    with pytest.raises(ObjectInUse):
        claim([b], None)
    end(mine)
    end(stopped)
    end(theirs)


def test_tasks_of_a_closed_loop_hold_up_nobody() -> None:
    subject = object()
    lost = asyncio.new_event_loop()
    held, waiting = claim([subject], lost), claim([subject], lost)
    lost.close()
    mine = claim([subject], None)
    assert has_come(mine)
    end(held)  # when the collector finds its task
    end(waiting)
    end(mine)


def test_a_claim_that_the_collector_ends(loop: asyncio.AbstractEventLoop) -> None:
    """It may do so in the thread that is changing the lines at that moment."""

    class CollectingLoop:
        def is_closed(self) -> bool:
            gc.collect()
            return False

    class Task:
        def __init__(self) -> None:
            self.itself = self
            self.turn = claim([subject], CollectingLoop())

        def __del__(self) -> None:
            end(self.turn)

    subject = object()
    Task()
    assert id(subject) in turns._first
    mine = claim([subject], loop)
    assert has_come(mine)
    end(mine)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_turns_of_other_threads_do_not_outlive_a_fork() -> None:
    one, other = object(), object()
    mine = claim([one], None)
    theirs = in_thread(lambda: claim([other], None))
    pid = os.fork()
    if pid == 0:
        is_free = has_come(claim([other], None))
        end(mine)
        os._exit(7 if is_free else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    end(mine)
    end(theirs)


def test_a_claim_to_several_objects_overtakes_none_that_waits(
    loop: asyncio.AbstractEventLoop,
) -> None:
    """Not in the moment in which the claim before has gone, and has called no other yet."""
    one, other = [1], [2]
    held = claim([one], loop)
    waiting = claim([one, other], loop)
    del turns._first[id(one)]  # as far as `end` has come when another thread runs
    overtaking = claim([one, other], loop)
    assert [has_come(turn) for turn in (waiting, overtaking)] == [True, False]
    held.is_ended = True
    end(waiting)
    assert has_come(overtaking)
    end(overtaking)


def test_threads_that_come_and_go_at_once_never_meet() -> None:
    subjects = [[0] for _ in range(3)]
    met: list[int] = []

    def work(seed: int) -> int:
        choose = random.Random(seed)
        for _ in range(1_500):
            mine = choose.sample(subjects, choose.choice((1, 1, 1, 2, 3)))
            turn = claim(mine, None)
            if turn.comes is not None:
                turn.comes.result(timeout=30)
            for subject in mine:
                subject[0] += 1
                met.extend(subject[:1] if subject[0] != 1 else [])
            for subject in mine:
                subject[0] -= 1
            end(turn)
        return seed

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads change places nearly everywhere
    try:
        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(work, range(6))) == list(range(6))
    finally:
        sys.setswitchinterval(before)
    assert met == []
