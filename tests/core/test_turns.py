"""Turns: one at a time, in order, whoever gives up."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future
from typing import Any

import pytest

from loom_async._core.errors import ObjectInUse
from loom_async._core.turns import give_up, pass_turn, take_turn


def in_thread(function: Any) -> Any:
    """Return what a function returns in another thread."""
    result: list[Any] = []
    thread = threading.Thread(target=lambda: result.append(function()))
    thread.start()
    thread.join()
    return result[0]


def wait_for(subject: object) -> Future[None]:
    turn = take_turn(subject, blocking=False)
    assert turn is not None
    return turn


def test_turns_come_in_order() -> None:
    subject: dict[str, int] = {}  # not hashable
    assert take_turn(subject, blocking=False) is None
    first, second = wait_for(subject), wait_for(subject)
    assert not first.done()
    pass_turn(subject)
    assert first.done()
    assert not second.done()
    pass_turn(subject)
    assert second.done()
    pass_turn(subject)
    assert take_turn(subject, blocking=True) is None
    pass_turn(subject)


def test_equal_objects_have_turns_of_their_own() -> None:
    one, other = [1], [1]
    assert take_turn(one, blocking=True) is None
    assert take_turn(other, blocking=True) is None
    pass_turn(one)
    pass_turn(other)


def test_who_gives_up_is_passed_over() -> None:
    subject = object()
    take_turn(subject, blocking=False)
    first, second, third = wait_for(subject), wait_for(subject), wait_for(subject)
    give_up(subject, first)
    pass_turn(subject)
    assert second.done()
    give_up(subject, second)  # its turn had come: the next has it now
    assert third.done()
    pass_turn(subject)
    assert take_turn(subject, blocking=True) is None
    pass_turn(subject)


def test_a_thread_does_not_wait_for_itself() -> None:
    subject = object()
    take_turn(subject, blocking=False)
    with pytest.raises(ObjectInUse, match="this object has begun in this thread"):
        take_turn(subject, blocking=True)
    other = in_thread(lambda: take_turn(subject, blocking=True))
    assert not other.done()
    mine = wait_for(subject)
    pass_turn(subject)
    # The other thread has it, and after that this one: it would wait for what it does itself.
    with pytest.raises(ObjectInUse):
        take_turn(subject, blocking=True)
    give_up(subject, mine)
    blocked = take_turn(subject, blocking=True)
    assert blocked is not None
    pass_turn(subject)
    assert blocked.done()
    pass_turn(subject)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_turns_of_other_threads_do_not_outlive_a_fork() -> None:
    mine, theirs = object(), object()
    take_turn(mine, blocking=True)
    in_thread(lambda: take_turn(theirs, blocking=True))
    pid = os.fork()
    if pid == 0:
        free = take_turn(theirs, blocking=True) is None
        pass_turn(mine)
        os._exit(7 if free else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    pass_turn(mine)
    pass_turn(theirs)
