"""Objects join the transaction in force, or wait for the transaction that holds them."""

from __future__ import annotations

import time

from .. import _concurrency
from .._core import context
from .._core.model.document import DocumentModel
from .._core.settings import settings
from .._core.transactions.journal import in_use, journal_of


async def join_transaction(lock: _concurrency.ObjectLock, *documents: DocumentModel) -> None:
    """Have the transaction in force restore objects if it is undone.

    Outside of a transaction, wait until the transactions of other tasks release the objects.

    Parameters:
        lock: The lock of the objects, released while this waits.
        *documents: The objects that an operation is about to change.

    Raises:
        TransactionAborted: Another open transaction holds one of them.
        ObjectInUse: The same outside of a transaction, for longer than the setting
            `transaction_timeout`.
    """
    transaction = context.transaction.get()
    if transaction is not None:
        for document in documents:
            transaction.remember(document)
        return
    limit: float | None = None
    while context.journals and (journal := journal_of(documents)) is not None:
        if limit is None:
            limit = time.monotonic() + settings().transaction_timeout
        blocks_itself = _concurrency.WAITING_BLOCKS_THE_THREAD and journal.is_of_this_thread
        if blocks_itself or not await lock.release_while_waiting(
            journal.closed, limit - time.monotonic()
        ):
            raise in_use(journal, documents)
