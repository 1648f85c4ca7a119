"""The write of one object: what it knows of its command, until its outcome is known."""

from __future__ import annotations

from collections.abc import Coroutine, Generator, Sequence
from contextlib import contextmanager
from typing import Any

from .. import _concurrency
from .._core.model.document import UNREPORTED, Attempt, DocumentModel, attempts_of, set_attempts
from .._core.model.write_plan import Deletion, Insertion, Plan
from .target import R, Target
from .write_command import WriteCommand, send, send_in_transaction


class WriteAttempt(Attempt):
    """A write of one object, alone in its command or one of many.

    Parameters:
        plan: What it does.
    """

    __slots__ = ("_is_abandoned", "command", "plan")

    def __init__(self, plan: Plan | Deletion) -> None:
        self.plan: Plan | Deletion = plan
        self._is_abandoned = False
        self.command: WriteCommand | None = None

    @property
    def is_unknown(self) -> bool:
        """True if the write was sent, and the object does not agree with its outcome."""
        return self.command is not None and self.command.is_unknown

    @property
    def stores_new(self) -> bool:
        """True if it stores a new document."""
        return isinstance(self.plan, Insertion)

    @property
    def deletes(self) -> bool:
        """True if it deletes the document."""
        return isinstance(self.plan, Deletion)

    @property
    def is_abandoned(self) -> bool:
        """True if the caller was cancelled, and does not learn what has become of it."""
        return self._is_abandoned

    def abandon(self) -> None:
        """Note that the caller was cancelled."""
        self._is_abandoned = True

    def settle(self) -> None:
        """Note that the object agrees with what has become of it."""
        if self.command is not None:
            self.command.settle()

    @property
    def is_sent(self) -> bool:
        """True once it has a command, which may be on its way to the server."""
        return self.command is not None


async def finish(
    objects: _concurrency.ObjectLock,
    target: Target,
    work: Coroutine[Any, Any, R],
    documents: Sequence[DocumentModel],
) -> R:
    """Await a write to its end; one that its caller does not wait for ends the transaction.

    Parameters:
        objects: The lock of what is written, which is held until then.
        target: Where the write goes.
        work: The write.
        documents: The objects.
    """
    try:
        return await objects.hold_until_done(work, lambda: _has_begun(documents))
    except BaseException as error:
        if not isinstance(error, Exception):
            for document in documents:
                for attempt in attempts_of(document):
                    attempt.abandon()
            if target.transaction is not None:
                target.transaction.fail(error)
        raise


def _has_begun(documents: Sequence[DocumentModel]) -> bool:
    attempts = [attempt for document in documents for attempt in attempts_of(document)]
    return not attempts or any(attempt.is_sent for attempt in attempts)


async def send_once(target: Target, body: dict[str, Any], attempt: WriteAttempt) -> dict[str, Any]:
    """Send a write command, in its transaction if it has one, and return the reply.

    Parameters:
        target: Where it goes.
        body: The command, without its write concern.
        attempt: What knows the command, so that its outcome can be asked for later.
    """
    command = WriteCommand(target.collection, body)
    if target.session is not None:
        return await send_in_transaction(command, target.session)
    attempt.command = command
    return await send(command)


@contextmanager
def recorded_attempt(
    target: Target, document: DocumentModel, plan: Plan | Deletion
) -> Generator[WriteAttempt]:
    """Give the attempt of a write, which the object remembers while its outcome is unknown."""
    attempt = WriteAttempt(plan)
    if target.session is not None:  # of which the transaction as a whole has an outcome
        yield attempt
        return
    set_attempts(document, (*attempts_of(document), attempt))
    try:
        yield attempt
    except BaseException:
        forget_settled(document)
        raise


def forget_settled(document: DocumentModel) -> None:
    """Have an object forget the attempts whose outcome is known by now."""
    kept = (a for a in attempts_of(document) if a.is_unknown or a is UNREPORTED)
    set_attempts(document, tuple(kept))
