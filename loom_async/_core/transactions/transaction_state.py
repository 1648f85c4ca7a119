"""The state of the transaction in force, and how long its operations wait for a lock.

Both packages share it, so that an operation of one inside a transaction of the other is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import cast

from .. import context
from ..errors import LoomError, TransactionAborted, TransactionError
from ..model.document import DocumentModel
from ..settings import settings
from ..type_guards import is_dict
from .journal import Journal

_SECONDS_TO_LOCK = 5.0


def lock_timeout() -> float | None:
    """Return for how many seconds an operation waits for a lock; None outside of a transaction.

    The holder of the lock may wait, at the server, for the end of the transaction.
    """
    if context.transaction.get() is None:
        return None
    return min(_SECONDS_TO_LOCK, settings().transaction_timeout)


def lock_timed_out(subjects: Iterable[object]) -> TransactionAborted:
    """Return the error for objects whose locks other tasks have held for too long."""
    kinds = ", ".join(sorted({type(subject).__name__ for subject in subjects}))
    return TransactionAborted(
        f"another task works on this {kinds}, perhaps on a write that waits for this transaction",
        hint="run the block by in_transaction, which retries it, or use another object",
    )


class TransactionState:
    """The state of a transaction of either package.

    `failure` is the first error that made a commit impossible; `namespaces` are the collections
    that it has used.
    """

    def __init__(self) -> None:
        self.journal: Journal = Journal()
        self.failure: BaseException | None = None
        self.is_ended: bool = False
        self.namespaces: set[tuple[str, str]] = set()

    def fail(self, error: BaseException) -> None:
        """Note an error that makes a commit impossible."""
        if self.failure is None:
            self.failure = error

    def remember(self, document: DocumentModel) -> None:
        """Keep the present state of an object, to restore it."""
        if not self.is_ended:
            self.journal.remember(document)

    def check(self) -> None:
        """Raise an error if the transaction takes no more operations.

        Raises:
            TransactionError: It has ended, or an operation of it has failed.
        """
        if self.is_ended:
            raise TransactionError(
                "this task belongs to a transaction that has ended",
                hint="await the tasks of a transaction() block inside the block",
            )
        if self.failure is not None:
            raise failed(self.failure)


def failed(failure: BaseException) -> TransactionError:
    """Return the error for an operation or a commit after a failure."""
    kind = TransactionAborted if isinstance(failure, TransactionAborted) else TransactionError
    reason = failure.message if isinstance(failure, LoomError) else repr(failure)
    error = kind(
        f"an operation of this transaction has failed, and nothing of it is kept: {reason}",
        hint="let the error leave the transaction() block; MongoDB ends a transaction with the "
        "first operation that fails",
    )
    error.__cause__ = failure
    return error


def documents_in(*values: object) -> Iterator[DocumentModel]:
    """Yield the objects of models among arguments.

    This includes the items of lists, tuples, sets and dicts, the object of a bound method, and the
    arguments of `functools.partial`.
    """
    seen: set[int] = set()
    unvisited = list(values)
    while unvisited:
        value = unvisited.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, DocumentModel):
            yield value
        elif is_dict(value):
            unvisited.extend(value.values())
        elif isinstance(value, list | tuple | set | frozenset):
            unvisited.extend(cast("Iterable[object]", value))
        elif isinstance(value, partial):
            unvisited.extend((value.func, value.args, value.keywords))
        else:
            unvisited.append(getattr(value, "__self__", None))


def refuse_in_transaction(problem: str, *, hint: str = "do it before the block") -> None:
    """Refuse an operation that cannot be part of a transaction, before it sends anything.

    Parameters:
        problem: What cannot be done, for the error.
        hint: What to do instead.

    Raises:
        TransactionError: A transaction is in force.
    """
    if context.transaction.get() is not None:
        raise TransactionError(f"{problem} inside a transaction", hint=hint)
