# Generated from loom_async/operations/attempts.py by `nox -s sync`: edit that file.
"""The writes of objects, recorded on the objects while their outcomes are unknown."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from loom_async._core.model.document import DocumentModel, attempts_of, set_attempts
from loom_async._core.model.write_attempt import Deletion, WriteAttempt, WritePlan

from .. import _concurrency
from .target import Target

R = TypeVar("R")


def finish(
    lock: _concurrency.ObjectLock,
    target: Target,
    work: R,
    documents: Sequence[DocumentModel],
) -> R:
    """Await a write to its end; if the caller is cancelled, its transaction fails.

    Parameters:
        lock: The lock of the objects, held to the end of the write.
        target: Where the write goes.
        work: The write.
        documents: The objects.
    """
    try:
        return lock.hold_until_done(work, lambda: _may_be_sent(documents))
    except BaseException as error:
        if not isinstance(error, Exception):
            for document in documents:
                for attempt in attempts_of(document):
                    attempt.is_abandoned = True
            if target.transaction is not None:
                target.transaction.fail(error)
        raise


def _may_be_sent(documents: Sequence[DocumentModel]) -> bool:
    attempts = [attempt for document in documents for attempt in attempts_of(document)]
    return not attempts or any(a.command is not None or a.is_unreported for a in attempts)


@contextmanager
def recorded_attempt(
    target: Target, document: DocumentModel, plan: WritePlan | Deletion
) -> Generator[WriteAttempt]:
    """Record a write on its object in a block; it stays recorded while its outcome is unknown."""
    attempt = WriteAttempt(plan)
    if target.session is not None:  # the outcome is that of the transaction
        yield attempt
        return
    set_attempts(document, (*attempts_of(document), attempt))
    try:
        yield attempt
    except BaseException:
        forget_settled(document)
        raise


def forget_settled(document: DocumentModel) -> None:
    """Remove the attempts of an object whose outcome its caller has learned."""
    kept = (a for a in attempts_of(document) if a.is_unknown or a.is_unreported)
    set_attempts(document, tuple(kept))
