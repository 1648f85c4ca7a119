"""Ctrl-C at any line of a call: the object is unlocked, and its write is made once."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from pymongo import MongoClient

import loom_async
import loom_sync as lm
from loom_async._core.model.hydration import collector_paused

_ROOT = str(Path(loom_async.__file__).parents[1] / "loom_")
_SECONDS = 10.0


@lm.declare_persist_db("signals", "pages")
class Page(lm.Persistable):
    visits: lm.IncrCounter = 0


@pytest.fixture
def sync_db(mongo_uri: str) -> Iterator[MongoClient[dict[str, Any]]]:
    with lm.connect(mongo_uri) as client, lm.using(database="signals"):
        yield client
        client.drop_database("signals")


class Interrupt:
    """Raises KeyboardInterrupt at one executed line of the packages.

    Parameters:
        number: The number of the line, counted from the start of the block.
    """

    def __init__(self, number: int) -> None:
        self.remaining = number

    def __enter__(self) -> Interrupt:
        sys.settrace(self._called)
        return self

    def __exit__(self, *error: object) -> None:
        sys.settrace(None)

    def _called(self, frame: FrameType, event: str, argument: object) -> Any:
        return self._line if frame.f_code.co_filename.startswith(_ROOT) else None

    def _line(self, frame: FrameType, event: str, argument: object) -> Any:
        if event == "line":
            self.remaining -= 1
            if self.remaining == 0:
                raise KeyboardInterrupt
        return self._line


def persist_in_thread(page: Page) -> bool:
    """Persist in a new thread, which has to end in time."""
    outcomes: list[bool] = []
    thread = threading.Thread(target=lambda: outcomes.append(page.persist()), daemon=True)
    thread.start()
    thread.join(_SECONDS)
    return outcomes[0]


def test_persist_is_interrupted_at_every_line(sync_db: Any) -> None:
    gc.collect()  # no callback for a client of an earlier test is to be interrupted
    (page := Page()).persist()
    number, is_complete = 0, False
    while not is_complete:
        number += 1
        page.visits += 1
        try:
            with Interrupt(number) as interrupt:
                page.persist()
                is_complete = interrupt.remaining > 0
        except KeyboardInterrupt:
            assert gc.isenabled()
        persist_in_thread(page)
        stored = Page.from_id(page.id)
        assert stored is not None
        assert stored.visits == page.visits == number
    assert number > 100


def test_a_thread_that_waits_for_an_interrupted_lock_holder(sync_db: Any) -> None:
    """The waiting thread gets the lock of the interrupted one."""
    (page := Page()).persist()
    waiting: list[threading.Thread] = []

    def interrupted() -> None:
        lock = lm._concurrency.ObjectLock(page)  # type: ignore[attr-defined]
        lock.__enter__()
        thread = threading.Thread(target=persist_in_thread, args=(page,), daemon=True)
        thread.start()
        waiting.append(thread)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    waiting[0].join(_SECONDS)
    assert not waiting[0].is_alive()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_collects_garbage(sync_db: Any) -> None:
    """Even if another thread has paused the collector during the fork."""
    is_paused, is_done = threading.Event(), threading.Event()

    def pause() -> None:
        with collector_paused():
            is_paused.set()
            is_done.wait()

    thread = threading.Thread(target=pause)
    thread.start()
    is_paused.wait()
    child = os.fork()
    if child == 0:
        os._exit(0 if gc.isenabled() else 1)
    _, status = os.waitpid(child, 0)
    is_done.set()
    thread.join()
    assert status == 0
