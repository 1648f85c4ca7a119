"""What became of a frame's rows."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..errors import LoomError
from .ranges import ranges_of


@dataclass(frozen=True)
class RowError:
    """A row that was refused.

    Parameters:
        row: Its place in the frame, from 0.
        column: The column that is to blame; "" if no single one is.
        reason: Why.
    """

    row: int
    column: str
    reason: str


@dataclass(frozen=True)
class InsertResult:
    """What `insert_dataframe` has done.

    Parameters:
        inserted: How many documents are new or replaced.
        ids: The ids of the frame's rows in their order; None for a row that was refused.
        errors: The rows refused, when `on_error="skip"` was asked.
    """

    inserted: int
    ids: list[Any]
    errors: list[RowError]


@dataclass(frozen=True)
class UpdateResult:
    """What `update_dataframe` has done.

    Parameters:
        matched: How many documents the rows have met.
        modified: How many of them have changed.
        inserted: How many rows became new documents.
        errors: The rows refused, when `on_error="skip"` was asked.
    """

    matched: int
    modified: int
    inserted: int
    errors: list[RowError]


class FrameError(LoomError, ValueError):
    """Rows of a frame cannot be stored as documents.

    `errors` has the rows known to be refused, with column and reason; `rows` and `columns` name
    them. `written` has the ranges of rows that had been written before, and stay written.
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


_SHOWN = 5


def refused(errors: Sequence[RowError], written: Sequence[range]) -> FrameError:
    """Return the error that says which rows were refused, and exactly what had been written."""
    shown = "; ".join(
        f"row {error.row}{f', {error.column}' if error.column else ''}: {error.reason}"
        for error in errors[:_SHOWN]
    )
    more = f"; and {len(errors) - _SHOWN} more" if len(errors) > _SHOWN else ""
    rows = len({error.row for error in errors})
    return FrameError(
        f"{rows} row{'s' if rows != 1 else ''} cannot be stored: {shown}{more}. "
        f"{what_is_written(written)}",
        errors=errors,
        written=written,
        hint='mend them, or leave them out by on_error="skip"',
    )


class Progress:
    """How far the rows of a frame have got."""

    def __init__(self) -> None:
        #: The rows that have taken effect.
        self.written: list[range] = []
        self._sent = range(0)
        self._is_unknown: Callable[[], bool] = bool

    def sending(self, rows: range, is_unknown: Callable[[], bool]) -> None:
        """Note that rows are about to be sent.

        Parameters:
            rows: Which ones.
            is_unknown: Says whether some may have been written although there is no reply.
        """
        self._sent, self._is_unknown = rows, is_unknown

    def note_written(self, rows: Iterable[int]) -> None:
        """Note which of the rows that were sent have taken effect."""
        self.written = ranges_of(rows, self.written)
        self.sending(range(0), bool)

    def undone(self, errors: Sequence[RowError]) -> FrameError:
        """Return the error of rows that were refused in a transaction: nothing of it stays."""
        self.written = []
        return refused(errors, self.written)

    def sentence(self) -> str:
        """Return a sentence that says which rows have taken effect, and which may have."""
        known = what_is_written(self.written)
        if not self._is_unknown():
            return known
        places = _places(self._sent)
        if len(self._sent) == 1:
            return f"{known}; row {places} was being sent, and may be written"
        return f"{known}; rows {places} were being sent, and some may be written"


@contextmanager
def telling(progress: Progress) -> Generator[None]:
    """A block of which every error says which rows had taken effect when it came."""
    try:
        yield
    except FrameError as error:
        raise _told(error, progress.written) from error.__cause__
    except Exception as error:
        error.add_note(progress.sentence())
        raise


def _told(error: FrameError, written: list[range]) -> FrameError:
    if error.errors:
        return refused(error.errors, written)
    message = f"{error.message}. {what_is_written(written)}"
    return FrameError(message, columns=error.columns, written=written, hint=error.hint)


def what_is_written(written: Sequence[range]) -> str:
    """Return a sentence that says which rows have taken effect."""
    if not any(written):
        return "Nothing was written"
    return f"Rows {', '.join(map(_places, filter(None, written)))} had been written before"


def _places(rows: range) -> str:
    return str(rows.start) if len(rows) == 1 else f"{rows.start} to {rows.stop - 1}"
