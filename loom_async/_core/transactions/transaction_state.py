"""The transaction that the operations of a context belong to, and the objects that it has changed.

Both packages share this: an operation of one inside a transaction of the other is noticed.
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

_SECONDS_TO_CLAIM = 5.0


def lock_timeout() -> float | None:
    """Return how long the present transaction waits for an object; None outside of any.

    The call that works on the object may wait at the server for what the transaction has written.
    """
    if context.transaction.get() is None:
        return None
    return min(_SECONDS_TO_CLAIM, settings().transaction_timeout)


def lock_timed_out(subjects: Iterable[object]) -> TransactionAborted:
    """Return the error for objects that other tasks have worked on for too long."""
    kinds = ", ".join(sorted({type(subject).__name__ for subject in subjects}))
    return TransactionAborted(
        f"another task works on this {kinds}, perhaps on a write that waits for this transaction",
        hint="run the block by in_transaction, which begins anew, or use an object of your own",
    )


class TransactionState:
    """What is known of a transaction, whichever package runs it.

    `failure` is what made it impossible to commit; `namespaces` are the collections it has used.
    """

    def __init__(self) -> None:
        self.journal: Journal = Journal()
        self.failure: BaseException | None = None
        self.is_ended: bool = False
        self.namespaces: set[tuple[str, str]] = set()

    def fail(self, error: BaseException) -> None:
        """Note that it cannot be committed; the first reason stays."""
        if self.failure is None:
            self.failure = error

    def remember(self, document: DocumentModel) -> None:
        """Keep the state of an object that is about to change."""
        if not self.is_ended:
            self.journal.remember(document)

    def check(self) -> None:
        """Let operations pass while the transaction is whole.

        Raises:
            TransactionError: It has ended, or an operation of it has failed.
        """
        if self.is_ended:
            raise TransactionError(
                "this task belongs to a transaction that has ended",
                hint="await what a transaction() block begins inside the block",
            )
        if self.failure is not None:
            raise failed(self.failure)


def failed(failure: BaseException) -> TransactionError:
    """Return the error for going on after a failure."""
    kind = TransactionAborted if isinstance(failure, TransactionAborted) else TransactionError
    reason = failure.message if isinstance(failure, LoomError) else repr(failure)
    error = kind(
        f"an operation of this transaction has failed, and nothing of it is kept: {reason}",
        hint="let the error leave the transaction() block; MongoDB ends a transaction with the "
        "first operation that fails",
    )
    error.__cause__ = failure
    return error


def remember(*documents: DocumentModel) -> None:
    """Keep the states of objects that an operation is about to change, inside a transaction.

    Raises:
        TransactionAborted: Another open transaction holds one of them.
    """
    state = context.transaction.get()
    if state is not None:
        for document in documents:
            state.remember(document)


def documents_in(*values: object) -> Iterator[DocumentModel]:
    """Yield the objects of models among arguments.

    Also those in lists, tuples, sets and dicts, the one that a method is bound to, and those of
    `functools.partial`.
    """
    seen: set[int] = set()
    ahead = list(values)
    while ahead:
        value = ahead.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, DocumentModel):
            yield value
        elif is_dict(value):
            ahead.extend(value.values())
        elif isinstance(value, list | tuple | set | frozenset):
            ahead.extend(cast("Iterable[object]", value))
        elif isinstance(value, partial):
            ahead.extend((value.func, value.args, value.keywords))
        else:
            ahead.append(getattr(value, "__self__", None))


def refuse_in_transaction(problem: str, *, hint: str = "do it before the block") -> None:
    """Refuse what cannot be part of a transaction, before anything of it is sent.

    Parameters:
        problem: What cannot be done, for the error.
        hint: How to do it all the same.

    Raises:
        TransactionError: The present context is inside a transaction.
    """
    if context.transaction.get() is not None:
        raise TransactionError(f"{problem} inside a transaction", hint=hint)
