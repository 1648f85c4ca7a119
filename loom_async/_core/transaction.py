"""The transaction that the operations of a context belong to, and the objects that it has changed.

Both packages share this: an operation of one inside a transaction of the other is noticed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import Any, cast

from . import context
from .errors import LoomError, ObjectInUse, TransactionAborted, TransactionError
from .model.annotations import model_codec
from .model.changes import child_codec, is_number
from .model.document import (
    LOST,
    DocumentModel,
    attempts_of,
    baseline,
    set_attempts,
    values_of,
)
from .model.scalars import Counter
from .model.snapshot import Snapshot
from .settings import settings
from .typing import is_dict

_SECONDS_TO_CLAIM = 5.0


class Journal:
    """The earlier states of the objects that a transaction touches."""

    def __init__(self) -> None:
        self._states: dict[int, Snapshot] = {}
        self._thread = threading.get_ident()
        #: Done when the transaction has let its objects go.
        self.closed: Future[None] = Future()

    @property
    def is_of_this_thread(self) -> bool:
        """True in the thread that the transaction has begun in."""
        return self._thread == threading.get_ident()

    def remember(self, document: DocumentModel) -> None:
        """Keep the state that an object has now, unless an earlier one is kept.

        Raises:
            TransactionAborted: Another open transaction holds the object.
        """
        if id(document) in self._states:
            return
        state = Snapshot(document)  # first: what fails here must not hold the object
        if context.journals.setdefault(id(document), self) is not self:
            raise TransactionAborted(
                f"this {type(document).__name__} {document.id!r} is part of another open "
                "transaction",
                hint="@lm.transactional and in_transaction run again until that has ended; objects "
                "are best loaded inside",
            )
        self._states.setdefault(id(document), state)

    def amend(self, document: DocumentModel, change: Callable[[], None]) -> None:
        """Change an object, and the earlier state that is kept of it as well.

        Parameters:
            document: An object whose write began before the transaction touched it.
            change: Takes in what the server has replied to that write.
        """
        present = Snapshot(document)
        self._states[id(document)].restore()
        change()
        self._states[id(document)] = Snapshot(document)
        present.restore()
        change()

    def assigned_outside(self, document: DocumentModel, name: str, before: Any) -> None:
        """Have the earlier state of an object hold what another task has assigned.

        Parameters:
            document: The object.
            name: The field.
            before: The value that it had, maybe one that the transaction gave it.
        """
        if name not in values_of(document):
            return
        after = values_of(document)[name]
        present = Snapshot(document)
        self._states[id(document)].restore()
        earlier = values_of(document)[name]
        codec = child_codec(model_codec(type(document)), name)
        numbers = map(is_number, (earlier, before, after))
        is_counted = isinstance(codec, Counter) and all(numbers)
        values_of(document)[name] = earlier + (after - before) if is_counted else after
        self._states[id(document)] = Snapshot(document)
        present.restore()

    def restore(self, *, is_unknown: bool) -> None:
        """Give every object the state that was kept.

        Parameters:
            is_unknown: True if no reply says whether the transaction was committed.
        """
        for state in self._states.values():
            document = state.document
            written = baseline(document)
            state.restore()
            if is_unknown and baseline(document) is not written:
                set_attempts(document, (*attempts_of(document), LOST))

    def close(self) -> None:
        """Let the objects go."""
        for key in self._states:
            context.journals.pop(key, None)
        self._states.clear()
        if not self.closed.done():
            self.closed.set_result(None)


def _forget_after_fork() -> None:
    # The transactions are the parent's.
    context.journals.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


def journal_of_others(documents: Iterable[DocumentModel]) -> Journal | None:
    """Return the journal of another open transaction that holds one of some objects.

    Inside a transaction there is none: the objects of another one cannot join it.
    """
    if not context.journals or context.transaction.get() is not None:
        return None
    return next((context.journals[id(d)] for d in documents if id(d) in context.journals), None)


def absorb(document: DocumentModel, change: Callable[[], None]) -> None:
    """Make an object agree with a reply, also what another open transaction would put back."""
    journal = context.journals.get(id(document)) if context.journals else None
    state = context.transaction.get()
    if journal is None or (state is not None and state.journal is journal):
        change()
    else:
        journal.amend(document, change)


def in_use(journal: Journal, documents: Iterable[DocumentModel]) -> ObjectInUse:
    """Return the error for an object that another open transaction does not let go."""
    held = [d for d in documents if context.journals.get(id(d)) is journal] or list(documents)
    return ObjectInUse(
        f"this {type(held[0]).__name__} {held[0].id!r} is part of an open transaction of "
        "another task",
        hint="await the end of its transaction() block, or load an object of your own",
    )


def seconds_to_claim() -> float | None:
    """Return how long the present transaction waits for an object; None outside of any.

    The call that works on the object may wait at the server for what the transaction has written.
    """
    if context.transaction.get() is None:
        return None
    return min(_SECONDS_TO_CLAIM, settings().transaction_timeout)


def not_let_go(subjects: Iterable[object]) -> TransactionAborted:
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
