"""One call of the driver: its errors become Loom's, and a transaction makes one call at a time."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from pymongo.errors import PyMongoError

from .._core.driver_errors import translate, translated
from .._core.errors import TransactionError
from .._core.trace import Trace, logger
from .transaction_session import Transaction


@dataclass(slots=True, eq=False)
class DriverCall:
    """A block for one call of the driver.

    `transaction` is the transaction of the call, whose other calls wait.
    `action` is what the call does, for errors and the trace: "persist User".
    `reads` is true if the call only reads: if it is cancelled, its transaction goes on.
    """

    transaction: Transaction | None
    action: str
    reads: bool
    trace: Trace | None = None

    async def __aenter__(self) -> Self:
        if logger.isEnabledFor(logging.DEBUG):
            self.trace = Trace(self.action)
        transaction = self.transaction
        if transaction is None:
            return self
        await transaction.lock.acquire()
        try:
            transaction.check()
        except TransactionError:
            transaction.lock.release()
            raise
        return self

    def fail_transaction(self, error: PyMongoError) -> None:
        """Note an error that does not leave the block: the server has ended the transaction."""
        if self.transaction is not None:
            self.transaction.fail(translate(error, self.action))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        transaction = self.transaction
        if self.trace is not None:
            self.trace.end(error)
        if error is None and transaction is None:
            return
        known = None if error is None else translated(error, self.action)
        if transaction is not None:
            # The outcome of a write that was cancelled is unknown.
            if error is not None and (isinstance(error, Exception) or not self.reads):
                transaction.fail(known or error)
            transaction.lock.release()
        if known is not None:
            raise known from error
