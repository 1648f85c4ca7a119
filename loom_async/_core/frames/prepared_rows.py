"""Rows of a frame, checked and encoded, ready to be sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Self

from bson.raw_bson import RawBSONDocument

from ..errors import EncodingError, InvalidId
from ..model.write_statements import batches
from .results import RowError


@dataclass
class PreparedRows:
    """The rows of a chunk that can be sent, and those that were refused.

    Parameters:
        count: How many rows the chunk has.
        rows: The index in the frame of each row to be sent.
        statements: What to send for each of these rows: its document, or its update.
        errors: The rows that were refused.
    """

    count: int
    rows: list[int] = field(default_factory=list[int])
    statements: list[RawBSONDocument] = field(default_factory=list[RawBSONDocument])
    errors: list[RowError] = field(default_factory=list[RowError])

    def split(self, max_statements: int) -> Iterator[Self]:
        """Yield the rows of each command.

        Parameters:
            max_statements: How many statements a command may have.
        """
        sizes = [len(statement.raw) for statement in self.statements]
        for part in batches(sizes, max_statements):
            yield self._part(part)

    def _part(self, part: slice[int, int]) -> Self:
        rows, statements = self.rows[part], self.statements[part]
        return replace(self, count=len(rows), rows=rows, statements=statements, errors=[])


def encoding_error(row: int, error: ValueError) -> RowError:
    """Return the error of a row whose document cannot be encoded."""
    if isinstance(error, EncodingError):
        return RowError(row, error.path, error.reason)
    if isinstance(error, InvalidId):
        return RowError(row, "_id", error.message)
    return RowError(row, "", str(error))
