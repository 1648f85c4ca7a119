# Generated from loom_async/operations/raw_cursors.py by `nox -s sync`: edit that file.
"""The results of queries as raw batches, and nothing left open however they end."""

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


def batches(
    target: Target, spec: QuerySpec, size: int, action: str
) -> Generator[bytes, None, None]:
    """Yield the results of a query as raw batches, and leave nothing open, however it ends.

    Parameters:
        target: Where to look.
        spec: What to ask.
        size: How many documents a batch has at most.
        action: As for `Target.call`.
    """
    own = QuerySession(target.collection.database.client) if target.session is None else None
    results = _Results(target.collection, spec, size, own.driver if own else target.session)
    try:
        while not results.is_over:
            with target.call(action, reads=True):
                batch = run(own, results.next) if own else results.next()
            if batch is None:
                return
            yield batch
    finally:
        if own is None:
            _close(target, results.cursor)
        elif own.is_running or results.is_open:
            _concurrency.shielded(_give_up, results, own)
        else:
            own.driver.end_session()


class _Results:
    """The driver's cursor of a query, which is there after its first reply."""

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
        self.cursor: Any = None

    @property
    def is_open(self) -> bool:
        """True while the server may hold a cursor."""
        return self.cursor is not None and self.cursor.alive

    @property
    def is_over(self) -> bool:
        """True once all batches have been given: there is nothing to ask for."""
        return self.cursor is not None and not self.is_open

    def next(self) -> bytes | None:
        """Return the next batch; None at the end."""
        if self.cursor is None:
            self.cursor = self._opened()
        return next(self.cursor, None)

    def _opened(self) -> Any:
        collection, spec, options = self._collection, self._spec, {"session": self._session}
        if spec.stages:
            return collection.aggregate_raw_batches(
                spec.pipeline(), batchSize=self._size, **options
            )
        return collection.find_raw_batches(
            spec.filter, **spec.find_arguments(), batch_size=self._size, **options
        )


def _close(target: Target, cursor: Any) -> None:
    if target.transaction is None or cursor is None:
        return
    with target.transaction.lock:
        if not target.transaction.is_ended:  # else the server has closed it
            cursor.close()


def _give_up(results: _Results, session: QuerySession) -> None:
    if results.cursor is not None:
        with pymongo.timeout(SECONDS_TO_GIVE_UP):
            results.cursor.close()
    end(session, has_open=False)
