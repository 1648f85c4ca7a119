"""Ctrl-C at any line of a call: the object is free afterwards, and its write is made once."""

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
    """Raises KeyboardInterrupt at one line that runs in the packages.

    Parameters:
        number: Which line, counted from the start of the block.
    """

    def __init__(self, number: int) -> None:
        self.left = number

    def __enter__(self) -> Interrupt:
        sys.settrace(self._called)
        return self

    def __exit__(self, *error: object) -> None:
        sys.settrace(None)

    def _called(self, frame: FrameType, event: str, argument: object) -> Any:
        return self._line if frame.f_code.co_filename.startswith(_ROOT) else None

    def _line(self, frame: FrameType, event: str, argument: object) -> Any:
        if event == "line":
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
        return self._line


def persist_in_thread(page: Page) -> bool:
    """Persist in a thread of its own, which has to end in time."""
    outcomes: list[bool] = []
    thread = threading.Thread(target=lambda: outcomes.append(page.persist()), daemon=True)
    thread.start()
    thread.join(_SECONDS)
    return outcomes[0]


def test_persist_is_interrupted_at_every_line(sync_db: Any) -> None:
    (page := Page()).persist()
    number, is_done = 0, False
    while not is_done:
        number += 1
        page.visits += 1
        try:
            with Interrupt(number) as interrupt:
                page.persist()
                is_done = interrupt.left > 0
        except KeyboardInterrupt:
            assert gc.isenabled()
        persist_in_thread(page)
        stored = Page.from_id(page.id)
        assert stored is not None
        assert stored.visits == page.visits == number
    assert number > 100


def test_a_waiting_thread_goes_on(sync_db: Any) -> None:
    """Also one that waits while the thread before it is interrupted."""
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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where processes fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_collects_garbage(sync_db: Any) -> None:
    """Though it was forked while another thread had the collector paused."""
    paused, done = threading.Event(), threading.Event()

    def pause() -> None:
        with collector_paused():
            paused.set()
            done.wait()

    thread = threading.Thread(target=pause)
    thread.start()
    paused.wait()
    child = os.fork()
    if child == 0:
        os._exit(0 if gc.isenabled() else 1)
    _, status = os.waitpid(child, 0)
    done.set()
    thread.join()
    assert status == 0
