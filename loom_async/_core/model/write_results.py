"""`PersistResult` and `UpdateCount`: the numbers of documents that a call has written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PersistResult:
    """The numbers of documents that `persist_many` inserted, updated and found unchanged."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0


class UpdateCount(int):
    """The number of documents that an update modified; `matched` is how many its filter matched."""

    matched: int

    def __new__(cls, modified: int, matched: int) -> UpdateCount:
        """Create a count of modified documents, with the count of matched ones."""
        count = super().__new__(cls, modified)
        count.matched = matched
        return count

    def __reduce__(self) -> tuple[type[UpdateCount], tuple[int, int]]:
        return UpdateCount, (int(self), self.matched)

    @property
    def modified(self) -> int:
        """The number of documents that the update changed."""
        return int(self)

    def __repr__(self) -> str:
        return f"UpdateCount(modified={int(self)}, matched={self.matched})"
