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
    """The number of documents that an update modified.

    `matched` is how many its filter matched, `inserted` is 1 if an upsert inserted a document.
    """

    matched: int
    inserted: int

    def __new__(cls, modified: int, matched: int, inserted: int = 0) -> UpdateCount:
        """Create a count of modified documents, with those of matched and inserted ones."""
        count = super().__new__(cls, modified)
        count.matched = matched
        count.inserted = inserted
        return count

    def __reduce__(self) -> tuple[type[UpdateCount], tuple[int, int, int]]:
        return UpdateCount, (int(self), self.matched, self.inserted)

    @property
    def modified(self) -> int:
        """The number of documents that the update changed."""
        return int(self)

    def __repr__(self) -> str:
        inserted = f", inserted={self.inserted}" if self.inserted else ""
        return f"UpdateCount(modified={int(self)}, matched={self.matched}{inserted})"
