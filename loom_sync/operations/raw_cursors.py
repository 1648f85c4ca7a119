# Generated from loom_async/operations/raw_cursors.py by `nox -s sync`: edit that file.
"""Query results as raw batches, from a driver's cursor that is closed however the query ends."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pymongo
from pymongo.synchronous.client_session import ClientSession

from loom_async._core.query.query_spec import QuerySpec

from .. import _concurrency
from ..connection.driver_types import MongoCollection
from .query_session import SECONDS_TO_GIVE_UP, QuerySession, end, run
from .target import Target


def cursor_batches(
    target: Target, spec: QuerySpec, size: int, action: str
) -> Generator[bytes, None, None]:
    """Yield the results of a query as raw batches; close the cursor and the session at the end.

    Parameters:
        target: The target of the query. Outside a transaction, the query has a session of its own.
        spec: The query.
        size: The largest number of documents in a batch.
        action: As for `Target.call`.
    """
    own = QuerySession(target.collection.database.client) if target.session is None else None
    cursor = _Cursor(target.collection, spec, size, own.driver if own else target.session)
    try:
        while not cursor.is_exhausted:
            with target.call(action, reads=True):
                batch = run(own, cursor.next_batch) if own else cursor.next_batch()
            if batch is None:
                return
            yield batch
    finally:
        if own is None:
            _close_in_transaction(target, cursor)
        elif own.is_running or cursor.is_open:
            _concurrency.shielded(_abandon, cursor, own)
        else:
            own.driver.end_session()


class _Cursor:
    """The driver's cursor of a query, opened by the request of the first batch."""

    def __init__(
        self,
        collection: MongoCollection,
        spec: QuerySpec,
        size: int,
        session: ClientSession | None,
    ) -> None:
        self._collection = collection
        self._spec = spec
        self._size = size
        self._session = session
        self.driver_cursor: Any = None

    @property
    def is_open(self) -> bool:
        """True while the server may keep a cursor."""
        return self.driver_cursor is not None and self.driver_cursor.alive

    @property
    def is_exhausted(self) -> bool:
        """True once all batches have been returned."""
        return self.driver_cursor is not None and not self.is_open

    def next_batch(self) -> bytes | None:
        """Return the next batch; None at the end."""
        if self.driver_cursor is None:
            self.driver_cursor = self._open()
        return next(self.driver_cursor, None)

    def _open(self) -> Any:
        collection, spec, options = self._collection, self._spec, {"session": self._session}
        if spec.stages:
            return collection.aggregate_raw_batches(
                spec.pipeline(), batchSize=self._size, **options, **spec.options.command_fields()
            )
        return collection.find_raw_batches(
            spec.filter, **spec.find_arguments(), batch_size=self._size, **options
        )


def _close_in_transaction(target: Target, cursor: _Cursor) -> None:
    if target.transaction is None or cursor.driver_cursor is None:
        return
    with target.transaction.lock:
        if not target.transaction.is_ended:  # at its end the server closes the cursor
            cursor.driver_cursor.close()


def _abandon(cursor: _Cursor, session: QuerySession) -> None:
    if cursor.driver_cursor is not None:
        with pymongo.timeout(SECONDS_TO_GIVE_UP):
            cursor.driver_cursor.close()
    end(session, has_open=False)
