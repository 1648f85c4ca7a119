# Generated from loom_async/operations/transactions.py by `nox -s sync`: edit that file.
"""Transactions: all operations of a block happen, or none of them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeAlias, TypeVar

from pymongo import ReadPreference, WriteConcern
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.synchronous.client_session import ClientSession

from loom_async._core import context
from loom_async._core.errors import (
    ConfigurationError,
    ConnectionFailed,
    OperationTimeout,
    TransactionAborted,
    TransactionError,
)
from loom_async._core.model.document import DocumentModel
from loom_async._core.settings import settings
from loom_async._core.traced_call import TracedCall
from loom_async._core.transactions.journal import in_use, journal_of_others
from loom_async._core.transactions.transaction_state import (
    TransactionState,
    documents_in,
    failed,
    remember,
)

from .. import _concurrency
from ..connection.driver_types import Client
from ..connection.open_client import server_kinds

# Of the kind that this package waits with.
Lock: TypeAlias = _concurrency.Lock
P = ParamSpec("P")
R = TypeVar("R")

# The waits between two attempts, of the driver specification "Convenient API for Transactions".
_FIRST_WAIT, _LONGEST_WAIT, _GROWTH = 0.005, 0.5, 1.5
_STEPS = 20  # by which the longest wait is reached; far beyond, a float overflows


class Transaction(TransactionState):
    """A transaction that begins with its first operation, on the client of that.

    MongoDB takes one operation of a session at a time: `lock` has them take turns.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lock: Lock = _concurrency.Lock()
        self.session: ClientSession | None = None


def session_of(transaction: Transaction, client: Client) -> ClientSession:
    """Return the session that an operation on a client has to name; the first one begins it.

    Raises:
        TransactionError: The transaction is on another client, has failed or has ended.
        ConfigurationError: The server has no transactions.
    """
    with transaction.lock:
        transaction.check()
        if transaction.session is None:
            transaction.session = _begin(client)
    if transaction.session.client is not client:
        raise TransactionError(
            "this operation goes to another server than those of its transaction before it",
            hint="a transaction spans the models of one client; remote_db models and models inside "
            "another using() or connect() block are on theirs",
        )
    return transaction.session


def join_transaction(objects: _concurrency.ObjectLock, *documents: DocumentModel) -> None:
    """Have the present transaction put objects back if it is undone.

    Outside of any, wait until the transactions of other threads let the objects go.

    Parameters:
        objects: Their lock, which is let go while this waits.
        *documents: What an operation is about to change.

    Raises:
        TransactionAborted: Another open transaction holds one of them.
        ObjectInUse: So does one, and it has not ended within the setting `transaction_timeout`.
    """
    limit: float | None = None
    while (journal := journal_of_others(documents)) is not None:
        if limit is None:
            limit = time.monotonic() + settings().transaction_timeout
        is_never = _concurrency.WAITING_BLOCKS_THE_THREAD and journal.is_of_this_thread
        if is_never or not objects.release_while_waiting(journal.closed, limit - time.monotonic()):
            raise in_use(journal, documents)
    remember(*documents)


def _end(transaction: Transaction, *, keep: bool) -> None:
    """Commit a transaction, or give it up and give objects their earlier states."""
    is_kept = is_unknown = False
    with transaction.lock:
        transaction.is_ended = True
        try:
            if keep and transaction.failure is not None:
                raise failed(transaction.failure)
            if transaction.session is not None and keep:
                _commit(transaction.session)
            is_kept = keep
        except (ConnectionFailed, OperationTimeout):
            is_unknown = True
            raise
        finally:
            if transaction.session is not None:
                transaction.session.end_session()  # gives up what was not committed
            if not is_kept:
                transaction.journal.restore(is_unknown=is_unknown)
            transaction.journal.close()


def _begin(client: Client) -> ClientSession:
    with TracedCall("begin a transaction"):
        if "Standalone" in server_kinds(client):
            raise ConfigurationError(
                "this MongoDB server stands alone, and has no transactions",
                hint="run it as a replica set of one: mongod --replSet rs0, then rs.initiate(); "
                "the embedded server is one",
            )
        session = client.start_session()
        try:
            session.start_transaction(
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority"),
                read_preference=ReadPreference.PRIMARY,  # the server has no transactions elsewhere
            )
        except BaseException:
            session.end_session()
            raise
    return session


def _commit(session: ClientSession) -> None:
    limit = time.monotonic() + settings().transaction_timeout
    attempt = 0
    with TracedCall("commit a transaction"):
        while True:
            try:
                session.commit_transaction()
            except PyMongoError as error:
                is_unknown = error.has_error_label("UnknownTransactionCommitResult")
                if not is_unknown or time.monotonic() > limit:
                    raise
                attempt += 1
                _concurrency.sleep(_wait(attempt))
            else:
                return


def _wait(attempt: int) -> float:
    longest = min(_FIRST_WAIT * _GROWTH ** min(attempt, _STEPS), _LONGEST_WAIT)
    return random.random() * longest


@contextmanager
def transaction() -> Generator[None]:
    """Have all operations of the block happen together, or none of them.

    Every operation of every model inside belongs to it: in functions that are called, and in
    whatever runs in a copy of the context (`contextvars.copy_context`); these operations take
    turns. A plain new thread begins outside. An exception that leaves the block
    undoes all, and puts the objects that were changed back into their earlier states. A block
    inside another one is part of it.

    Raises:
        TransactionAborted: It met a passing obstacle, such as a conflict with another one.
        TransactionError: An operation failed and its error did not leave the block, or an
            operation cannot be part of it.
        ConfigurationError: The server has no transactions.

    Example:
        >>> import loom_sync as lm
        >>> def rename(one: lm.Persistable, other: lm.Persistable) -> None:
        ...     with lm.transaction():
        ...         one.persist()
        ...         other.delete()
    """
    outer = context.transaction.get()
    if outer is not None:
        outer.check()
        try:
            yield
        except BaseException as error:
            outer.fail(error)
            raise
        return
    mine = Transaction()
    context.transaction.set(mine)
    try:
        yield
    except BaseException:
        context.transaction.set(None)
        _concurrency.shielded(_end, mine, keep=False)
        raise
    context.transaction.set(None)
    _concurrency.shielded(_end, mine, keep=True)


def in_transaction(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a function in a transaction, and all of it again after a passing obstacle.

    Before it is run again, objects go back to the states that they had: those that it was given,
    in lists and dicts too, and those that it assigned to or persisted. Inside a transaction it is
    part of that, and run once.

    Parameters:
        function: What to run; it may run several times.
        *args: Its arguments.
        **kwargs: Its arguments by name.

    Returns:
        What the function returns.

    Raises:
        TransactionAborted: The obstacle did not pass within the setting `transaction_timeout`.

    Example:
        >>> import loom_sync as lm
        >>> def transfer(giver: lm.Persistable, taker: lm.Persistable) -> None:
        ...     giver.persist()
        ...     taker.persist()
        >>> def main(giver: lm.Persistable, taker: lm.Persistable) -> None:
        ...     lm.in_transaction(transfer, giver, taker)
    """
    limit = time.monotonic() + settings().transaction_timeout
    outer = context.transaction.get()
    attempt = 0
    while True:
        try:
            with transaction():
                state = context.transaction.get()
                for document in documents_in(function, args, kwargs):
                    if state is not None:
                        state.remember(document)
                result: R = _concurrency.maybe_await(function(*args, **kwargs))
                return result
        except TransactionAborted:
            if outer is not None or time.monotonic() > limit:
                raise
        attempt += 1
        _concurrency.sleep(_wait(attempt))


def transactional(
    function: Callable[P, R],
) -> Callable[P, R]:
    """Have a function always run in a transaction, as `in_transaction` does.

    Parameters:
        function: What to run; it may run several times.

    Example:
        >>> import loom_sync as lm
        >>> @lm.transactional
        ... def transfer(giver: lm.Persistable, taker: lm.Persistable) -> None:
        ...     giver.persist()
        ...     taker.persist()
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        return in_transaction(function, *args, **kwargs)

    return run
