"""`InsertResult`, `UpdateResult` and `FrameError`: the outcome of writing the rows of a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import LoomError


@dataclass(frozen=True)
class RowError:
    """A refused row of a frame.

    Parameters:
        row: The index of the row in the frame, from 0.
        column: The column with the error; "" if it concerns the whole row.
        reason: Why the row was refused.
    """

    row: int
    column: str
    reason: str


@dataclass(frozen=True)
class InsertResult:
    """The result of `insert_dataframe`.

    Parameters:
        inserted: The number of inserted or replaced documents.
        ids: The id of each row of the frame, in order; None for a row that was refused.
        errors: The refused rows, with `on_error="skip"`.
    """

    inserted: int
    ids: list[Any]
    errors: list[RowError]


@dataclass(frozen=True)
class UpdateResult:
    """The result of `update_dataframe`.

    Parameters:
        matched: The number of documents that the rows matched.
        modified: The number of these that were changed.
        inserted: The number of rows that were inserted as new documents.
        errors: The refused rows, with `on_error="skip"`.
    """

    matched: int
    modified: int
    inserted: int
    errors: list[RowError]


class FrameError(LoomError, ValueError):
    """Rows of a frame cannot be stored as documents.

    `errors` lists the refused rows with column and reason; `rows` and `columns` are the indexes and
    names of the rows and columns concerned. `written` lists the ranges of rows that were written
    before; they stay written.
    """

    def __init__(
        self,
        message: str,
        *,
        errors: Sequence[RowError] = (),
        columns: Sequence[str] = (),
        written: Sequence[range] = (),
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.errors: list[RowError] = list(errors)
        self.rows: list[int] = sorted({error.row for error in self.errors})
        named = {error.column for error in self.errors if error.column}
        self.columns: list[str] = sorted({*columns, *named})
        self.written: list[range] = list(written)


# How many refused rows a message names.
_SHOWN = 5


def rows_refused(errors: Sequence[RowError], written: Sequence[range]) -> FrameError:
    """Return the error that names the refused rows, and the rows that had been written before."""
    shown = "; ".join(
        f"row {error.row}{f', {error.column}' if error.column else ''}: {error.reason}"
        for error in errors[:_SHOWN]
    )
    more = f"; and {len(errors) - _SHOWN} more" if len(errors) > _SHOWN else ""
    count = len({error.row for error in errors})
    return FrameError(
        f"{count} row{'s' if count != 1 else ''} cannot be stored: {shown}{more}. "
        f"{describe_written(written)}",
        errors=errors,
        written=written,
        hint='correct these rows, or skip them with on_error="skip"',
    )


def describe_written(written: Sequence[range]) -> str:
    """Return a sentence that says which rows have been written."""
    if not any(written):
        return "Nothing was written"
    return f"Rows {', '.join(map(describe_rows, filter(None, written)))} had been written before"


def describe_rows(rows: range) -> str:
    """Return the first and the last of some rows, or the only one, as text."""
    return str(rows.start) if len(rows) == 1 else f"{rows.start} to {rows.stop - 1}"
