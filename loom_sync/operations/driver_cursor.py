# Generated from loom_async/operations/driver_cursor.py by `nox -s sync`: edit that file.
"""The cursor of a query that the driver reads: in a transaction, and from several servers."""

from __future__ import annotations

from typing import Any, Self

import pymongo

from loom_async._core.query.query_spec import QuerySpec

from .. import _concurrency
from .query_session import SECONDS_TO_GIVE_UP, QuerySession, end, run
from .target import Target


class DriverCursor:
    """The raw batches of a query; see `raw_batches`.

    The parameters are as for `raw_batches`.
    """

    __slots__ = ("_action", "_cursor", "_own", "_size", "_spec", "_target")

    def __init__(self, target: Target, spec: QuerySpec, size: int, action: str) -> None:
        self._target = target
        self._spec = spec
        self._size = size
        self._action = action
        #: The session of the query, if there is no transaction.
        self._own: QuerySession | None = None
        if target.session is None:
            self._own = QuerySession(target.collection.database.client)
        #: The driver's cursor, which the request of the first batch opens.
        self._cursor: Any = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if self._spec.limit == 0 or (self._cursor is not None and not self._is_open):
            raise StopIteration
        with self._target.call(self._action, reads=True):
            if self._own is None:
                batch = self._next_batch()
            else:
                batch = run(self._own, self._next_batch)
        if batch is None:
            raise StopIteration
        return batch

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._own is None:
            self._close_in_transaction()
        elif self._own.is_running or self._is_open:
            _concurrency.shielded(self._abandon, self._own)
        else:
            self._own.driver.end_session()

    @property
    def _is_open(self) -> bool:
        """True while the server may keep a cursor."""
        return self._cursor is not None and self._cursor.alive

    def _next_batch(self) -> bytes | None:
        if self._cursor is None:
            self._cursor = self._open()
        batch: bytes | None = next(self._cursor, None)
        return batch

    def _open(self) -> Any:
        collection, spec = self._target.collection, self._spec
        session = self._target.session if self._own is None else self._own.driver
        if spec.stages:
            return collection.aggregate_raw_batches(
                spec.pipeline(),
                batchSize=self._size,
                session=session,
                **spec.options.command_fields(),
            )
        return collection.find_raw_batches(
            spec.find_filter, **spec.find_arguments(), batch_size=self._size, session=session
        )

    def _close_in_transaction(self) -> None:
        transaction = self._target.transaction
        if transaction is None or self._cursor is None:
            return
        with transaction.lock:
            if not transaction.is_ended:  # at its end the server closes the cursor
                self._cursor.close()

    def _abandon(self, session: QuerySession) -> None:
        if self._cursor is not None:
            with pymongo.timeout(SECONDS_TO_GIVE_UP):
                self._cursor.close()
        end(session, has_open=False)
