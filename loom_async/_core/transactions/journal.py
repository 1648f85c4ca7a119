"""The earlier states of the objects that a transaction has changed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

from .. import context
from ..context import OpenJournal
from ..errors import ObjectInUse, TransactionAborted
from ..model.codecs import model_codec
from ..model.diff import child_codec, is_number
from ..model.document import DocumentModel, baseline, lose_attempts
from ..model.snapshot import Snapshot
from ..types.scalars import CounterCodec


class Journal:
    """The earlier states of the objects that a transaction uses."""

    def __init__(self) -> None:
        self._states: dict[int, Snapshot] = {}
        self._thread = threading.get_ident()
        #: Done when the transaction has released its objects.
        self.closed: Future[None] = Future()

    @property
    def is_of_this_thread(self) -> bool:
        """True in the thread in which the transaction began."""
        return self._thread == threading.get_ident()

    def remember(self, document: DocumentModel) -> None:
        """Keep the present state of an object, unless an earlier state is kept.

        Raises:
            TransactionAborted: Another open transaction holds the object.
        """
        if id(document) in self._states:
            return
        state = Snapshot(document)  # first: if this fails, the journal must not hold the object
        if context.journals.setdefault(id(document), self) is not self:
            raise TransactionAborted(
                f"this {type(document).__name__} {document.id!r} is part of another open "
                "transaction",
                hint="@lm.transactional and in_transaction retry until that has ended; load "
                "objects inside the transaction",
            )
        self._states.setdefault(id(document), state)

    def amend(self, document: DocumentModel, change: Callable[[], None]) -> None:
        """Change an object and its earlier state.

        Parameters:
            document: An object whose write began before the transaction used it.
            change: Makes the object agree with the reply to that write.
        """
        present = Snapshot(document)
        self._states[id(document)].restore()
        change()
        self._states[id(document)] = Snapshot(document)
        present.restore()
        change()

    def assigned_outside(self, document: DocumentModel, name: str, before: Any) -> None:
        """Keep in the earlier state of an object a value that another task has assigned.

        Parameters:
            document: The object.
            name: The field.
            before: The value before, which the transaction may have assigned.
        """
        values = vars(document)
        if name not in values:
            return
        after = values[name]
        present = Snapshot(document)
        self._states[id(document)].restore()
        earlier = values[name]
        codec = child_codec(model_codec(type(document)), name)
        numbers = map(is_number, (earlier, before, after))
        is_counted = isinstance(codec, CounterCodec) and all(numbers)
        values[name] = earlier + (after - before) if is_counted else after
        self._states[id(document)] = Snapshot(document)
        present.restore()

    def restore(self, *, is_unknown: bool) -> None:
        """Restore the earlier state of each object.

        Parameters:
            is_unknown: True if no reply says whether the transaction was committed.
        """
        for state in self._states.values():
            document = state.document
            written = baseline(document)
            state.restore()
            if is_unknown and baseline(document) is not written:
                lose_attempts(document)

    def close(self) -> None:
        """Release the objects."""
        for key in self._states:
            context.journals.pop(key, None)
        self._states.clear()
        if not self.closed.done():
            self.closed.set_result(None)


def _forget_after_fork() -> None:
    # The transactions belong to the parent.
    context.journals.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


def journal_of(documents: Iterable[DocumentModel]) -> OpenJournal | None:
    """Return the journal of an open transaction that holds one of some objects."""
    return next((context.journals[id(d)] for d in documents if id(d) in context.journals), None)


def absorb(document: DocumentModel, change: Callable[[], None]) -> None:
    """Make an object agree with a reply, and the state that another transaction may restore."""
    journal = context.journals.get(id(document)) if context.journals else None
    state = context.transaction.get()
    if journal is None or (state is not None and state.journal is journal):
        change()
    else:
        journal.amend(document, change)


def in_use(journal: OpenJournal, documents: Iterable[DocumentModel]) -> ObjectInUse:
    """Return the error for an object that another open transaction holds."""
    held = [d for d in documents if context.journals.get(id(d)) is journal] or list(documents)
    return ObjectInUse(
        f"this {type(held[0]).__name__} {held[0].id!r} is part of an open transaction of "
        "another task",
        hint="await the end of its transaction() block, or load an object of your own",
    )
