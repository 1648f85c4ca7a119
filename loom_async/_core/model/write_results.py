"""What write operations report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PersistResult:
    """How many documents a `persist_many` inserted, updated and found unchanged."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0


class UpdateCount(int):
    """How many documents an update modified; `matched` counts those that the filter matched."""

    matched: int

    def __new__(cls, modified: int, matched: int) -> UpdateCount:
        """Make a count of modified documents that also knows the matched ones."""
        count = super().__new__(cls, modified)
        count.matched = matched
        return count

    @property
    def modified(self) -> int:
        """The documents that the update changed."""
        return int(self)

    def __repr__(self) -> str:
        return f"UpdateCount(modified={int(self)}, matched={self.matched})"
