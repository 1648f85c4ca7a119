# Generated from tests/faults/writers.py by `nox -s sync`: edit that file.
"""Writers that record which of their writes were acknowledged, and which may have happened."""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial
from typing import Any

import loom_sync as lm
from loom_sync import _concurrency
from tests.sync._concurrency import gathered

# The numbers of new and of changed objects in a call of persist_many.
_NEW, _CHANGED = 5, 3
# The number of objects that a writer stores concurrently, by a call each.
_CONCURRENT = 6


@lm.declare_persist_db("faults", "items")
class Item(lm.PersistableBase):
    """A document whose fields all contain the same version."""

    writer: int
    version: int = 0
    parts: dict[str, int] = {"left": 0, "right": 0}
    text: str = ""

    def set_version(self, version: int) -> None:
        self.version = version
        self.parts["left"] = self.parts["right"] = version
        self.text = f"version {version} " * 50

    @property
    def is_consistent(self) -> bool:
        expected = Item(writer=self.writer, id=self.id)
        expected.set_version(self.version)
        return self == expected


@lm.declare_persist_db("faults", "tallies")
class Tally(lm.Persistable):
    count: lm.IncrCounter = 0
    log: list[str] = []


class Record:
    """The writes of one writer: versions of items by id, and increments by the id of the tally.

    `stored` and `counted` were acknowledged. `attempted` and `unknown` include writes that ended in
    an error, which may have happened or not.
    """

    def __init__(self) -> None:
        self.stored: dict[Any, int] = {}
        self.attempted: dict[Any, int] = {}
        self.counted: Counter[Any] = Counter()
        self.unknown: Counter[Any] = Counter()
        self.errors: list[lm.LoomError] = []
        self.operations = 0


class Writer:
    """A thread that writes until `stop` is set.

    Parameters:
        number: The number of the writer.
        shared: The id of a tally that all writers increment.
        stop: Ends the writer; also set by a writer that fails, so that the others end too.
    """

    def __init__(self, number: int, shared: Any, stop: threading.Event) -> None:
        self.number = number
        self.shared = shared
        self.stop = stop
        self.record = Record()
        self.items: list[Item] = []
        self.tallies: list[Tally] = []

    def run(self) -> None:
        """Write until `stop` is set."""
        try:
            self.tallies = [Tally() for _ in range(_CHANGED)]
            Tally.persist_many(self.tallies)
            shared_tally = Tally.from_id(self.shared)
            assert shared_tally is not None
            self.tallies.append(shared_tally)
            while not self.stop.is_set():
                self._run_once()
                _concurrency.sleep(0.005)
        finally:
            self.stop.set()

    def _run_once(self) -> None:
        item = Item(writer=self.number)
        self._write([item], 1, many=False)
        self._write([item], 2, many=False)
        self._increment(self.tallies[-1:], many=False)
        self._increment(self.tallies[:1], many=False)
        self._write([Item(writer=self.number) for _ in range(_NEW)], 1, many=True)
        self._write(self.items[-_CHANGED:], 3, many=True)
        self._write_concurrently({item.id: item for item in self.items[-_CONCURRENT:]}, 4)
        self._increment(self.tallies, many=True)

    def _write(self, items: list[Item], version: int, *, many: bool) -> None:
        record = self.record
        for item in items:
            item.set_version(version)
            record.attempted[item.id] = version
        if self._attempt(items, many=many):
            record.stored |= {item.id: version for item in items}
            self.items = (self.items + items)[-100:]

    def _write_concurrently(self, items: dict[Any, Item], version: int) -> None:
        def write(item: Item) -> None:
            item.set_version(version)
            self.record.attempted[item.id] = version
            if self._attempt([item], many=False):
                self.record.stored[item.id] = version

        gathered(*(partial(write, item) for item in items.values()))

    def _increment(self, tallies: list[Tally], *, many: bool) -> None:
        for tally in tallies:
            tally.count += 1
            tally.log = [*tally.log[-5:], f"{self.number}"]
        ids = [tally.id for tally in tallies]
        if self._attempt(tallies, many=many):
            self.record.counted.update(ids)
            return
        self.record.unknown.update(ids)
        for tally in tallies:
            self._reload(tally)

    def _attempt(self, documents: list[Any], *, many: bool) -> bool:
        self.record.operations += 1
        try:
            if many:
                type(documents[0]).persist_many(documents)
            else:
                documents[0].persist()
        except (lm.ConnectionFailed, lm.OperationTimeout) as error:
            self.record.errors.append(error)
            return False
        return True

    def _reload(self, tally: Tally) -> None:
        while True:
            try:
                tally.reload()
            except (lm.ConnectionFailed, lm.OperationTimeout) as error:
                self.record.errors.append(error)
            else:
                return
