# Generated from loom_async/operations/transactions.py by `nox -s sync`: edit that file.
"""`transaction`, and the functions that retry one: `in_transaction`, `transactional`."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from loom_async._core import context
from loom_async._core.errors import TransactionAborted
from loom_async._core.settings import settings
from loom_async._core.transactions.transaction_state import documents_in

from .. import _concurrency
from .transaction_session import Transaction, end, wait_to_retry

P = ParamSpec("P")
R = TypeVar("R")


@contextmanager
def transaction() -> Generator[None]:
    """Run the operations of a block as one transaction: all of them happen, or none.

    It includes the operations of functions that the block calls, and of code that runs in a copy of
    its context (`contextvars.copy_context`); a plain new thread is outside. The operations run one
    after another. An exception that leaves the block rolls the transaction back, and restores the
    objects that it has changed. A nested block joins the outer transaction.

    Raises:
        TransactionAborted: It was rolled back for a temporary reason, such as a conflict with
            another transaction.
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
    own = Transaction()
    context.transaction.set(own)
    try:
        yield
    except BaseException:
        context.transaction.set(None)
        _concurrency.shielded(end, own, commit=False)
        raise
    context.transaction.set(None)
    _concurrency.shielded(end, own, commit=True)


def in_transaction(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a function in a transaction, and retry it if that is rolled back for a temporary reason.

    Before each retry, objects are restored: those in the arguments, also in lists and dicts, and
    those that the function assigned to or persisted. Inside a transaction the function joins that,
    and runs once.

    Parameters:
        function: The function; it may run several times.
        *args: Its arguments.
        **kwargs: Its arguments by name.

    Returns:
        The result of the function.

    Raises:
        TransactionAborted: It was still rolled back when `transaction_timeout` had passed.

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
        wait_to_retry(attempt)


def transactional(
    function: Callable[P, R],
) -> Callable[P, R]:
    """Decorate a function so that it runs by `in_transaction`.

    Parameters:
        function: The function; it may run several times.

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
