"""What may be stored of a document that many writers change: sums, items, and a field of each."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from tests.worlds.schedules.documents import Shared, mark


class Share:
    """The part that one writer has in a shared document.

    It counts, appends items that are written nowhere else, and sets an entry of its own.

    Parameters:
        name: Of the writer's entry.
        document: The object that the writer uses.
        has_company: Whether other tasks use this very object, so that their calls may store an
            edit as soon as it is made.
    """

    def __init__(self, name: str, document: Shared, *, has_company: bool = False) -> None:
        self.name = name
        self.document = document
        self.counted = self.least = self.most = 0
        self.certain: set[str] = set()
        self.values: list[str | None] = [None]
        self._has_company = has_company
        self._forget()

    def _forget(self) -> None:
        self._pending = 0
        self._tried = [0]
        self._items: list[str] = []
        self._tried_items: set[str] = set()

    def edit(self, dice: random.Random) -> None:
        """Make one to three random edits."""
        changes = (self._count, self._append, self._tag, self._set)
        for change in dice.sample(changes, dice.choice((1, 2, 3))):
            change(dice)
        if self._has_company:
            self.trying()

    def _count(self, dice: random.Random) -> None:
        step = dice.choice((1, 2, -1, -3))
        self.document.count += step
        self._pending += step

    def _append(self, dice: random.Random) -> None:
        self._items.append(mark())
        self.document.log.append(self._items[-1])

    def _tag(self, dice: random.Random) -> None:
        self._items.append(mark())
        self.document.tags.add(self._items[-1])

    def _set(self, dice: random.Random) -> None:
        self.document.fields[self.name] = mark()

    def trying(self) -> None:
        """Note that a call begins that stores the edits."""
        self._tried.append(self._pending)
        self._tried_items.update(self._items)
        value = self.document.fields.get(self.name)
        if value not in self.values:
            self.values.append(value)

    def stored(self) -> None:
        """Note that a call has succeeded: all edits are stored."""
        self.counted += self._pending
        self.certain.update(self._items)
        self.values = [self.document.fields.get(self.name)]
        self._forget()

    def reloaded(self) -> None:
        """Note that edits were given up for what is stored, which tells what became of items."""
        value = self.document.fields.get(self.name)
        assert value in self.values, f"{value} was stored, possible was one of {self.values}"
        self.values = [value]
        self.least += min(self._tried)
        self.most += max(self._tried)
        self.certain |= self._tried_items & {*self.document.log, *self.document.tags}
        self._forget()


def check(stored: Any, shares: Sequence[Share]) -> None:
    """Compare a shared document with what its writers know.

    Parameters:
        stored: The document as it was loaded.
        shares: The parts of its writers, all of whose edits are stored or given up.
    """
    counted = sum(share.counted for share in shares)
    least, most = (counted + sum(getattr(s, name) for s in shares) for name in ("least", "most"))
    assert least <= stored.count <= most, f"{stored.count} is not within {least} and {most}"
    items: Iterable[str] = [*stored.log, *stored.tags]
    twice = [item for item, times in Counter(items).items() if times > 1]
    assert not twice, f"stored twice: {twice}"
    certain = {item for share in shares for item in share.certain}
    assert certain <= {*items}, f"acknowledged and lost: {certain - {*items}}"
    assert certain >= {*items}, f"given up and stored later: {({*items}) - certain}"
    for share in shares:
        value = stored.fields.get(share.name)
        assert [value] == share.values, f"{share.name} has {value}, expected {share.values}"
