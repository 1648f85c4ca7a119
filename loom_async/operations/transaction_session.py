"""The session of a transaction: begun by the first operation, committed or aborted at the end."""

from __future__ import annotations

import random
import time
from typing import TypeAlias

from pymongo import ReadPreference, WriteConcern
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from .. import _concurrency
from .._core.errors import ConfigurationError, ConnectionFailed, OperationTimeout, TransactionError
from .._core.settings import settings
from .._core.traced_call import TracedCall
from .._core.transactions.transaction_state import TransactionState, failed
from ..connection.driver_types import Client
from ..connection.open_client import server_kinds

Lock: TypeAlias = _concurrency.Lock

# The waits between two attempts, in seconds (driver specification "Convenient API for
# Transactions").
_FIRST_WAIT, _LONGEST_WAIT, _GROWTH = 0.005, 0.5, 1.5
# The longest wait is reached by then; far beyond, the power overflows a float.
_MAX_EXPONENT = 20


class Transaction(TransactionState):
    """A transaction, which begins with its first operation, on the client of that.

    `lock` is held by each operation: MongoDB allows a session one operation at a time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lock: Lock = _concurrency.Lock()
        self.session: AsyncClientSession | None = None


async def session_of(transaction: Transaction, client: Client) -> AsyncClientSession:
    """Return the session of a transaction for an operation; the first operation begins it.

    Parameters:
        transaction: The transaction.
        client: The client of the operation.

    Raises:
        TransactionError: The transaction is on another client, has failed or has ended.
        ConfigurationError: The server has no transactions.
    """
    async with transaction.lock:
        transaction.check()
        if transaction.session is None:
            transaction.session = await _begin(client)
    if transaction.session.client is not client:
        raise TransactionError(
            "this operation goes to another server than the earlier operations of its transaction",
            hint="a transaction spans the models of one client; remote_db models and models inside "
            "another using() or connect() block are on theirs",
        )
    return transaction.session


async def end(transaction: Transaction, *, commit: bool) -> None:
    """Commit a transaction, or abort it and restore the earlier states of its objects."""
    is_committed = is_unknown = False
    async with transaction.lock:
        transaction.is_ended = True
        try:
            if commit and transaction.failure is not None:
                raise failed(transaction.failure)
            if transaction.session is not None and commit:
                await _commit(transaction.session)
            is_committed = commit
        except (ConnectionFailed, OperationTimeout):
            is_unknown = True
            raise
        finally:
            if transaction.session is not None:
                await transaction.session.end_session()  # aborts what was not committed
            if not is_committed:
                transaction.journal.restore(is_unknown=is_unknown)
            transaction.journal.close()


async def wait_to_retry(attempt: int) -> None:
    """Wait for a random time, longer for each further attempt.

    Parameters:
        attempt: The number of attempts so far.
    """
    longest = min(_FIRST_WAIT * _GROWTH ** min(attempt, _MAX_EXPONENT), _LONGEST_WAIT)
    await _concurrency.sleep(random.random() * longest)


async def _begin(client: Client) -> AsyncClientSession:
    with TracedCall("begin a transaction"):
        if "Standalone" in await server_kinds(client):
            raise ConfigurationError(
                "this MongoDB server stands alone, and has no transactions",
                hint="run it as a replica set of one: mongod --replSet rs0, then rs.initiate(); "
                "the embedded server is one",
            )
        session = client.start_session()
        try:
            await session.start_transaction(
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority"),
                read_preference=ReadPreference.PRIMARY,  # the only one that transactions support
            )
        except BaseException:
            await session.end_session()
            raise
    return session


async def _commit(session: AsyncClientSession) -> None:
    limit = time.monotonic() + settings().transaction_timeout
    attempt = 0
    with TracedCall("commit a transaction"):
        while True:
            try:
                await session.commit_transaction()
            except PyMongoError as error:
                is_unknown = error.has_error_label("UnknownTransactionCommitResult")
                if not is_unknown or time.monotonic() > limit:
                    raise
                attempt += 1
                await wait_to_retry(attempt)
            else:
                return
