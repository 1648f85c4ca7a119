"""The transaction that the operations of a context belong to, and the objects that it has changed.

Both packages share this: an operation of one inside a transaction of the other is noticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from . import context
from .errors import LoomError, TransactionAborted, TransactionError
from .model.absorb import restore, snapshot
from .model.document import DocumentModel, set_doubt
from .typing import is_dict


class Journal:
    """The earlier states of the objects that a transaction touches."""

    def __init__(self) -> None:
        self._states: dict[int, tuple[DocumentModel, DocumentModel]] = {}

    def remember(self, document: DocumentModel) -> None:
        """Keep the state that an object has now, unless an earlier one is kept."""
        if id(document) not in self._states:
            self._states[id(document)] = (document, snapshot(document))

    def restore(self, *, in_doubt: bool) -> None:
        """Give every object the state that was kept.

        Parameters:
            in_doubt: Nobody knows whether the transaction was committed.
        """
        for document, state in self._states.values():
            restore(document, state)
            if in_doubt:
                set_doubt(document, True)
        self._states.clear()


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
    """Keep the states of objects that an operation is about to change, inside a transaction."""
    state = context.transaction.get()
    if state is not None:
        for document in documents:
            state.remember(document)


def documents_in(values: Iterable[object]) -> Iterator[DocumentModel]:
    """Yield the objects of models among arguments, also those in lists, tuples, sets and dicts."""
    for value in values:
        if isinstance(value, DocumentModel):
            yield value
        elif is_dict(value):
            yield from documents_in(value.values())
        elif isinstance(value, list | tuple | set | frozenset):
            yield from documents_in(cast("Iterable[object]", value))
