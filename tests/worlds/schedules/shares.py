"""The possible states of a document with many writers: sums, items, and an entry for each."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from tests.worlds.schedules.documents import Shared, new_value


class Share:
    """One writer's part of a shared document.

    The writer counts, appends unique items, and sets its own entry.

    Parameters:
        name: The key of the writer's entry.
        document: The object that the writer uses.
        is_shared_object: Whether other tasks use the same object, so that their calls may store
            an edit as soon as it is made.
    """

    def __init__(self, name: str, document: Shared, *, is_shared_object: bool = False) -> None:
        self.name = name
        self.document = document
        self.count = self.minimum = self.maximum = 0
        self.acknowledged: set[str] = set()
        self.values: list[str | None] = [None]
        self._is_shared_object = is_shared_object
        self._reset()

    def _reset(self) -> None:
        self._pending = 0
        self._tried = [0]
        self._items: list[str] = []
        self._tried_items: set[str] = set()

    def edit(self, rng: random.Random) -> None:
        """Make one to three random edits."""
        changes = (self._count, self._append, self._tag, self._set)
        for change in rng.sample(changes, rng.choice((1, 2, 3))):
            change(rng)
        if self._is_shared_object:
            self.begin_call()

    def _count(self, rng: random.Random) -> None:
        step = rng.choice((1, 2, -1, -3))
        self.document.count += step
        self._pending += step

    def _append(self, rng: random.Random) -> None:
        self._items.append(new_value())
        self.document.log.append(self._items[-1])

    def _tag(self, rng: random.Random) -> None:
        self._items.append(new_value())
        self.document.tags.add(self._items[-1])

    def _set(self, rng: random.Random) -> None:
        self.document.fields[self.name] = new_value()

    def begin_call(self) -> None:
        """Note that a call begins that stores the edits."""
        self._tried.append(self._pending)
        self._tried_items.update(self._items)
        value = self.document.fields.get(self.name)
        if value not in self.values:
            self.values.append(value)

    def call_succeeded(self) -> None:
        """Note that a call has succeeded: all edits are stored."""
        self.count += self._pending
        self.acknowledged.update(self._items)
        self.values = [self.document.fields.get(self.name)]
        self._reset()

    def reload_succeeded(self) -> None:
        """Note that a reload discarded the edits; it shows which of the items are stored."""
        value = self.document.fields.get(self.name)
        assert value in self.values, f"{value} is stored, expected one of {self.values}"
        self.values = [value]
        self.minimum += min(self._tried)
        self.maximum += max(self._tried)
        self.acknowledged |= self._tried_items & {*self.document.log, *self.document.tags}
        self._reset()


def check(stored: Any, shares: Sequence[Share]) -> None:
    """Compare a shared document with the records of its writers.

    Parameters:
        stored: The loaded document.
        shares: The parts of its writers, whose edits are all stored or discarded.
    """
    count = sum(share.count for share in shares)
    minimum, maximum = (
        count + sum(getattr(s, name) for s in shares) for name in ("minimum", "maximum")
    )
    assert minimum <= stored.count <= maximum, f"{stored.count} is not in [{minimum}, {maximum}]"
    items: Iterable[str] = [*stored.log, *stored.tags]
    twice = [item for item, times in Counter(items).items() if times > 1]
    assert not twice, f"stored twice: {twice}"
    acknowledged = {item for share in shares for item in share.acknowledged}
    assert acknowledged <= {*items}, f"acknowledged, but lost: {acknowledged - {*items}}"
    assert acknowledged >= {*items}, f"discarded, but stored: {({*items}) - acknowledged}"
    for share in shares:
        value = stored.fields.get(share.name)
        assert [value] == share.values, f"{share.name} has {value}, expected {share.values}"
