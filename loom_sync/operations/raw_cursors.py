# Generated from loom_async/operations/raw_cursors.py by `nox -s sync`: edit that file.
"""The results of a query as raw batches, from a cursor that is closed however the query ends."""

from __future__ import annotations

from loom_async._core.query.query_spec import QuerySpec

from .command_cursor import CommandCursor
from .driver_cursor import DriverCursor
from .read_commands import reads_by_commands
from .target import Target


def raw_batches(
    target: Target, spec: QuerySpec, size: int, action: str
) -> CommandCursor | DriverCursor:
    """Return an iterator over the results of a query as raw batches, which is also a block.

    The end of the block closes the cursor and the session.

    Parameters:
        target: The target of the query. Outside a transaction, the query has a session of its own.
        spec: The query.
        size: The largest number of documents in a batch.
        action: As for `Target.call`.
    """
    kind = CommandCursor if reads_by_commands(target) else DriverCursor
    return kind(target, spec, size, action)
