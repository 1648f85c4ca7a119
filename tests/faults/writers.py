"""Writers that keep a record of what was acknowledged to them, and of what may have happened."""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial
from typing import Any

import loom_async as lm
from loom_async import _concurrency
from tests.aio._concurrency import gathered

# What persist_many is given at a time: new objects, and changed ones.
_NEW, _CHANGED = 5, 3
# How many objects a writer stores at once, each by a call of its own.
_AT_ONCE = 6


@lm.declare_persist_db("faults", "items")
class Item(lm.PersistableBase):
    """A document of which every part says the same."""

    writer: int
    version: int = 0
    parts: dict[str, int] = {"left": 0, "right": 0}
    text: str = ""

    def become(self, version: int) -> None:
        self.version = version
        self.parts["left"] = self.parts["right"] = version
        self.text = f"version {version} " * 50

    @property
    def is_whole(self) -> bool:
        expected = Item(writer=self.writer, id=self.id)
        expected.become(self.version)
        return self == expected


@lm.declare_persist_db("faults", "tallies")
class Tally(lm.Persistable):
    count: lm.IncrCounter = 0
    log: list[str] = []


class Record:
    """What one writer knows: versions of items, and increments by the id of their tally.

    What ended in an error may have happened or not: it is counted apart.
    """

    def __init__(self) -> None:
        self.stored: dict[Any, int] = {}
        self.tried: dict[Any, int] = {}
        self.counted: Counter[Any] = Counter()
        self.doubtful: Counter[Any] = Counter()
        self.errors: list[lm.LoomError] = []
        self.operations = 0


class Writer:
    """One task that writes until it is told to stop.

    Parameters:
        number: Its own.
        shared: The id of a tally that all writers count on.
        stop: When to stop; set by a writer that fails, so that the others end too.
    """

    def __init__(self, number: int, shared: Any, stop: threading.Event) -> None:
        self.number = number
        self.shared = shared
        self.stop = stop
        self.record = Record()
        self.items: list[Item] = []
        self.tallies: list[Tally] = []

    async def run(self) -> None:
        """Write until `stop`."""
        try:
            self.tallies = [Tally() for _ in range(_CHANGED)]
            await Tally.persist_many(self.tallies)
            common = await Tally.from_id(self.shared)
            assert common is not None
            self.tallies.append(common)
            while not self.stop.is_set():
                await self._step()
                await _concurrency.sleep(0.005)
        finally:
            self.stop.set()

    async def _step(self) -> None:
        item = Item(writer=self.number)
        await self._write([item], 1, many=False)
        await self._write([item], 2, many=False)
        await self._count(self.tallies[-1:], many=False)
        await self._count(self.tallies[:1], many=False)
        await self._write([Item(writer=self.number) for _ in range(_NEW)], 1, many=True)
        await self._write(self.items[-_CHANGED:], 3, many=True)
        await self._write_at_once({item.id: item for item in self.items[-_AT_ONCE:]}, 4)
        await self._count(self.tallies, many=True)

    async def _write(self, items: list[Item], version: int, *, many: bool) -> None:
        record = self.record
        for item in items:
            item.become(version)
            record.tried[item.id] = version
        if await self._attempt(items, many=many):
            record.stored |= {item.id: version for item in items}
            self.items = (self.items + items)[-100:]

    async def _write_at_once(self, items: dict[Any, Item], version: int) -> None:
        async def write(item: Item) -> None:
            item.become(version)
            self.record.tried[item.id] = version
            if await self._attempt([item], many=False):
                self.record.stored[item.id] = version

        await gathered(*(partial(write, item) for item in items.values()))

    async def _count(self, tallies: list[Tally], *, many: bool) -> None:
        for tally in tallies:
            tally.count += 1
            tally.log = [*tally.log[-5:], f"{self.number}"]
        ids = [tally.id for tally in tallies]
        if await self._attempt(tallies, many=many):
            self.record.counted.update(ids)
            return
        self.record.doubtful.update(ids)
        for tally in tallies:
            await self._reload(tally)

    async def _attempt(self, documents: list[Any], *, many: bool) -> bool:
        self.record.operations += 1
        try:
            if many:
                await type(documents[0]).persist_many(documents)
            else:
                await documents[0].persist()
        except (lm.ConnectionFailed, lm.OperationTimeout) as error:
            self.record.errors.append(error)
            return False
        return True

    async def _reload(self, tally: Tally) -> None:
        while True:
            try:
                await tally.reload()
            except (lm.ConnectionFailed, lm.OperationTimeout) as error:
                self.record.errors.append(error)
            else:
                return
