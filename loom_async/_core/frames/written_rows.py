"""The rows of a frame that have been written, which every error of an insert or update names."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager

from .results import FrameError, describe_rows, describe_written, rows_refused


def ranges_of(rows: Iterable[int], before: Iterable[range] = ()) -> list[range]:
    """Return ascending row indexes as ranges, after earlier ranges.

    Example:
        >>> ranges_of([2, 3, 6], [range(2)])
        [range(0, 4), range(6, 7)]
    """
    ranges = list(before)
    for row in rows:
        if ranges and ranges[-1].stop == row:
            ranges[-1] = range(ranges[-1].start, row + 1)
        else:
            ranges.append(range(row, row + 1))
    return ranges


class WrittenRows:
    """The rows that have been written, and the rows that are being sent."""

    def __init__(self) -> None:
        #: The rows that have been written.
        self.ranges: list[range] = []
        self._sent = range(0)
        self._is_unknown: Callable[[], bool] = bool

    def begin_sending(self, rows: range, is_unknown: Callable[[], bool]) -> None:
        """Record which rows the next command has.

        Parameters:
            rows: From the first to the last of them.
            is_unknown: Returns whether some may have been written although there is no reply.
        """
        self._sent, self._is_unknown = rows, is_unknown

    def add(self, rows: Iterable[int]) -> None:
        """Record which of the rows that were sent have been written."""
        self.ranges = ranges_of(rows, self.ranges)
        self.begin_sending(range(0), bool)

    def roll_back(self) -> None:
        """Record that the transaction of all rows has failed."""
        self.ranges = []
        self.begin_sending(range(0), bool)

    @contextmanager
    def reported(self, is_rolled_back: Callable[[], bool]) -> Generator[None]:
        """Have every error of the block say which rows had been written.

        Parameters:
            is_rolled_back: Returns whether the rows belong to a transaction that has failed.
        """
        try:
            yield
        except Exception as error:
            if is_rolled_back():
                self.roll_back()
            if isinstance(error, FrameError):
                raise self._with_written(error) from error.__cause__
            error.add_note(self._note())
            raise

    def _with_written(self, error: FrameError) -> FrameError:
        if error.errors:
            return rows_refused(error.errors, self.ranges)
        message = f"{error.message}. {describe_written(self.ranges)}"
        return FrameError(message, columns=error.columns, written=self.ranges, hint=error.hint)

    def _note(self) -> str:
        written = describe_written(self.ranges)
        if not self._is_unknown():
            return written
        sent = describe_rows(self._sent)
        if len(self._sent) == 1:
            return f"{written}; row {sent} was being sent, and may be written"
        return f"{written}; rows {sent} were being sent, and some may be written"
