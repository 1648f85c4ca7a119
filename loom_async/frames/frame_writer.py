"""Writes the rows of a frame chunk by chunk; the next chunk is prepared while one is sent."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar

from .. import _concurrency
from .._core.clock import now
from .._core.frames.prepared_rows import PreparedRows
from .._core.frames.results import RowError, rows_refused
from .._core.frames.written_rows import WrittenRows
from .._core.progress_bar import progress_bar
from .._core.settings import settings
from .._core.validation_failures import reason_of
from .._core.write_replies import write_errors
from ..operations.bulk_command import max_statements, send_many
from ..operations.target import Target
from ..operations.write_command import WriteCommand, raise_unconfirmed

if TYPE_CHECKING:
    from .._core.frames.chunks import Chunk

OnError: TypeAlias = Literal["raise", "skip"]
P = TypeVar("P", bound=PreparedRows)


class RowWriter(ABC, Generic[P]):
    """The commands that write rows of a frame, and what has become of the rows.

    Parameters:
        target: The collection and session to write to.
        action: The operation, for error messages: "insert_dataframe of User".
        on_error: Whether refused rows end the operation or are skipped.
    """

    def __init__(self, target: Target, action: str, on_error: OnError) -> None:
        self.target: Target = target
        self.action: str = action
        self.written: WrittenRows = WrittenRows()
        self.errors: list[RowError] = []
        #: How many rows of the frame have been written or refused.
        self.rows_done: int = 0
        self._on_error = on_error

    @abstractmethod
    def command(self, rows: P) -> WriteCommand:
        """Return the command that writes some rows."""

    @abstractmethod
    def count(self, rows: P, reply: Mapping[str, Any], unwritten: set[int]) -> None:
        """Count what the reply to a command says of its rows.

        Parameters:
            rows: The rows of the command.
            reply: The reply.
            unwritten: The positions in `rows` of those that were not written.
        """

    def is_ignored(self, error: Mapping[str, Any]) -> bool:
        """Return whether a row with this error of the server does not count as refused."""
        return False

    def row_error(self, row: int, error: Mapping[str, Any]) -> RowError:
        """Return the server's error for a row."""
        return RowError(row, "", reason_of(error))

    def take_reply(self, rows: P, reply: Mapping[str, Any], *, is_ordered: bool) -> None:
        """Record what has become of the rows of a command.

        Parameters:
            rows: The rows of the command.
            reply: The reply.
            is_ordered: Whether the server stops at the first error.

        Raises:
            FrameError: Rows were refused that are not to be skipped.
        """
        errors = write_errors(reply)
        if errors and self.target.session is not None:
            self.written.roll_back()
            refused = [self.row_error(rows.rows[i], error) for i, error in errors.items()]
            raise rows_refused(refused, self.written.ranges)
        unwritten = set(errors)
        if errors and is_ordered:
            unwritten = set(range(min(errors), len(rows.rows)))
        self.written.add(row for i, row in enumerate(rows.rows) if i not in unwritten)
        self.count(rows, reply, unwritten)
        self.refuse(
            [
                self.row_error(rows.rows[i], error)
                for i, error in errors.items()
                if not self.is_ignored(error)
            ]
        )

    def refuse(self, errors: Sequence[RowError]) -> None:
        """Record refused rows.

        Raises:
            FrameError: They are not to be skipped.
        """
        if errors and self._on_error == "raise":
            raise rows_refused(errors, self.written.ranges)
        self.errors += errors


async def write_frame(
    frame: Any,
    prepare: Callable[[Chunk, datetime], P],
    writer: RowWriter[P],
    *,
    label: str,
    progress: bool | None,
) -> None:
    """Write all rows of a frame.

    Parameters:
        frame: The frame.
        prepare: Returns the rows of a chunk, ready to be sent; called in a worker thread.
        writer: Makes the commands, and records what has become of the rows.
        label: The text before the progress bar.
        progress: Whether to show a progress bar; None follows the setting.

    Raises:
        FrameError: Rows were refused.
    """
    from .._core.frames.chunks import row_count

    target = writer.target
    with (
        progress_bar(progress, label, row_count(frame)) as advance,
        writer.written.reported(target.has_failed),
    ):
        async with _concurrency.prefetch(_prepared_chunks(frame, prepare)) as chunks:
            async for chunk in chunks:
                with target.failing():
                    writer.refuse(chunk.errors)
                for rows in chunk.split(max_statements(target)):
                    await _send(rows, writer)
                writer.rows_done += chunk.count
                advance(chunk.count)


async def _send(rows: P, writer: RowWriter[P]) -> None:
    """Send one command, and record what has become of its rows."""
    command = writer.command(rows)
    span = range(rows.rows[0], rows.rows[-1] + 1)
    writer.written.begin_sending(span, lambda: command.is_unknown)
    async with writer.target.call(writer.action) as call:
        reply = await send_many(writer.target, call, command)
    command.settle()
    writer.take_reply(rows, reply, is_ordered=command.is_ordered)
    raise_unconfirmed(reply, writer.action)


async def _prepared_chunks(
    frame: Any, prepare: Callable[[Chunk, datetime], P]
) -> AsyncGenerator[P, None]:
    # numpy, pandas and the like are optional, and imported when there is a frame.
    from .._core.frames.chunks import chunks_of

    moment, workers = now(), settings().arrow_workers
    chunks = chunks_of(frame)
    while True:
        chunk = await _concurrency.in_worker(workers, next, chunks, None)
        if chunk is None:
            return
        yield await _concurrency.in_worker(workers, prepare, chunk, moment)
