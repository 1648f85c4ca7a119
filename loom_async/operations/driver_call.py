"""One call of the driver: its errors become Loom's, and a transaction makes one at a time."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from pymongo.errors import PyMongoError

from .._core.driver_errors import translate, translated
from .._core.errors import TransactionError
from .._core.trace import Trace, start_trace
from .transactions import Transaction


class DriverCall:
    """A block for one call of the driver: one at a time in a transaction."""

    __slots__ = ("_action", "_reads", "_trace", "_transaction")

    def __init__(self, transaction: Transaction | None, action: str, *, reads: bool) -> None:
        self._transaction = transaction
        self._action = action
        self._reads = reads
        self._trace: Trace | None = None

    async def __aenter__(self) -> Self:
        self._trace = start_trace(self._action)
        transaction = self._transaction
        if transaction is None:
            return self
        await transaction.lock.acquire()
        try:
            transaction.check()
        except TransactionError:
            transaction.lock.release()
            raise
        return self

    def failed(self, error: PyMongoError) -> None:
        """Note an error that does not leave the block: the server has ended the transaction."""
        if self._transaction is not None:
            self._transaction.fail(translate(error, self._action))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        transaction = self._transaction
        if self._trace is not None:
            self._trace.end(error)
        if error is None and transaction is None:
            return
        known = None if error is None else translated(error, self._action)
        if transaction is not None:
            # A write that was cancelled as well: nobody knows what the server has made of it.
            if error is not None and (isinstance(error, Exception) or not self._reads):
                transaction.fail(known or error)
            transaction.lock.release()
        if known is not None:
            raise known from error
