"""The transaction that the operations of a context belong to, and the objects that it has changed.

Both packages share this: an operation of one inside a transaction of the other is noticed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import partial
from typing import cast

from . import context
from .errors import LoomError, ObjectInUse, TransactionAborted, TransactionError
from .model.document import DocumentModel, set_doubt
from .model.snapshot import Snapshot
from .typing import is_dict

# The journals of open transactions by the objects that they hold.
_holders: dict[int, Journal] = {}


class Journal:
    """The earlier states of the objects that a transaction touches."""

    def __init__(self) -> None:
        self._states: dict[int, Snapshot] = {}

    def remember(self, document: DocumentModel) -> None:
        """Keep the state that an object has now, unless an earlier one is kept.

        Raises:
            TransactionAborted: Another open transaction holds the object.
        """
        if id(document) in self._states:
            return
        state = Snapshot(document)  # first: what fails here must not hold the object for ever
        if _holders.setdefault(id(document), self) is not self:
            raise TransactionAborted(
                f"this {type(document).__name__} {document.id!r} is part of another open "
                "transaction",
                hint="@lm.transactional and in_transaction run again until that has ended; objects "
                "are best loaded inside",
            )
        self._states.setdefault(id(document), state)

    def restore(self, *, in_doubt: bool) -> None:
        """Give every object the state that was kept.

        Parameters:
            in_doubt: Nobody knows whether the transaction was committed.
        """
        for state in self._states.values():
            state.restore()
            if in_doubt:
                set_doubt(state.document, True)

    def close(self) -> None:
        """Let the objects go."""
        for key in self._states:
            _holders.pop(key, None)
        self._states.clear()


def _forget_after_fork() -> None:
    # The transactions are the parent's.
    _holders.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


def _check_free(document: DocumentModel) -> None:
    """Refuse to wait on the server for a transaction that may wait for this very operation."""
    if id(document) in _holders:
        raise ObjectInUse(
            f"this {type(document).__name__} {document.id!r} is part of an open transaction of "
            "another task",
            hint="await the end of its transaction() block, or load an object of your own",
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
        ObjectInUse: So does one, and the operation is outside of any.
    """
    state = context.transaction.get()
    for document in documents:
        if state is not None:
            state.remember(document)
        elif _holders:
            _check_free(document)


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
