# Generated from loom_async/queries/change_stream.py by `nox -s sync`: edit that file.
"""`Changes`: the change stream of a model's collection, which `watch` returns."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from types import TracebackType
from typing import Any, Generic, NoReturn, Self, TypeVar
from weakref import ref

from pymongo.errors import ConnectionFailure, InvalidOperation, PyMongoError

from loom_async._core.context import OperationContext, current_context
from loom_async._core.driver_errors import can_resume, translate
from loom_async._core.errors import ConnectionFailed, OperationFailed, QueryError, TransactionError
from loom_async._core.model.change_event import Change, change_of, token_document, token_text
from loom_async._core.model.document import DocumentModel
from loom_async._core.query.change_filter import change_pipeline
from loom_async._core.query.options import QueryOptions
from loom_async._core.query.query_spec import QuerySpec
from loom_async._core.settings import settings

from .. import _concurrency
from ..documents import hooks
from .change_cursor import (
    ChangeCursor,
    Reply,
    close_broken_cursors,
    close_cursor,
    next_reply,
    open_cursor,
)

D = TypeVar("D", bound=DocumentModel)

# Seconds before a retry: each wait is twice as long as the one before, up to the longest.
_FIRST_WAIT, _LONGEST_WAIT, _GROWTH = 0.05, 2.0, 2


class Changes(Generic[D]):
    """Iterates over the changes of a collection; `watch` returns it.

    A loop opens the change stream and closes it at its end. A block, `with changes:`, opens
    it before its body runs and closes it at the end; iterate inside. Iterated again, it resumes
    where it stopped. Only one thread at a time may iterate it.

    Example:
        >>> import loom_sync as lm
        >>> @lm.declare_persist_db("my_app", "users")
        ... class User(lm.Persistable):
        ...     name: str
        >>> def main() -> None:
        ...     with User.watch() as changes:
        ...         User(name="Ann").persist()
        ...         for change in changes:
        ...             print(change.operation, change.document)
        ...             break
    """

    __slots__ = (
        "_context",
        "_cursor",
        "_is_over",
        "_is_stopped",
        "_is_waiting",
        "_loop",
        "_model",
        "_options",
        "_pipeline",
        "_token",
    )

    def __init__(
        self,
        model: type[D],
        pipeline: list[dict[str, Any]],
        context: OperationContext,
        token: dict[str, Any] | None,
        options: QueryOptions,
    ) -> None:
        self._model = model
        self._pipeline = pipeline
        self._context = context
        self._options = options
        self._token: Any = token
        self._cursor: ChangeCursor | None = None
        # The generator of the loop that opened the cursor; None if a block did.
        self._loop: ref[Any] | None = None
        self._is_waiting = False
        self._is_over = False
        self._is_stopped = False

    @property
    def token(self) -> str | None:
        """The resume token after the last change; at first that of `resume_after`, or None.

        `watch(resume_after=token)` resumes there. It also advances while there are no changes.
        """
        token = self._token if self._cursor is None else self._cursor.token
        return None if token is None else token_text(token)

    def stop(self) -> None:
        """End the iteration within a second, for good; may be called from any thread."""
        self._is_stopped = True

    def __enter__(self) -> Self:
        self._open(None)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._cursor is not None:
            self._close(self._cursor)

    def __iter__(self) -> Iterator[Change[D]]:
        if self._cursor is not None and not self._is_abandoned():
            return self
        # The generator needs a reference to itself, which exists only after it is made.
        own_ref: list[ref[Any]] = []
        loop = self._open_and_iterate(own_ref)
        own_ref.append(ref(loop))
        return loop

    def __next__(self) -> Change[D]:
        if self._cursor is None:
            raise QueryError(
                f"the changes of {self._model.__name__} are not being watched here",
                hint="call next() inside `with User.watch() as changes:`",
            )
        if self._is_waiting:
            raise QueryError(
                f"the next change of {self._model.__name__} is being waited for already",
                hint="call watch() once for each task",
            )
        self._is_waiting = True
        try:
            return self._next(self._cursor)
        finally:
            self._is_waiting = False

    def _next(self, cursor: ChangeCursor) -> Change[D]:
        reply = self._next_event(cursor)
        if reply is None or reply.event is None:
            raise StopIteration
        try:
            change: Change[D] = change_of(self._model, reply.event)
            if change.document is not None:
                hooks.loaded((change.document,))
        except Exception:
            cursor.take(reply)  # so that the iteration can continue after this event
            raise
        cursor.take(reply)
        return change

    def _open_and_iterate(self, own_ref: list[ref[Any]]) -> Generator[Change[D], None, None]:
        cursor = self._open(own_ref[0])
        try:
            yield from self
        finally:
            self._close(cursor)

    def _is_abandoned(self) -> bool:
        """Say whether the cursor belongs to a loop that was left, and will close it later."""
        return self._loop is not None and self._loop() is None

    def _open(self, loop: ref[Any] | None) -> ChangeCursor:
        if self._cursor is not None and not self._is_abandoned():
            raise QueryError(
                f"these changes of {self._model.__name__} are being watched already",
                hint="call watch() again for a second iteration",
            )
        token = self._token if self._cursor is None else self._cursor.token
        cursor = ChangeCursor(self._model, self._pipeline, self._context, token, self._options)
        self._cursor, self._loop, self._is_over = cursor, loop, False
        try:
            open_cursor(cursor)
        except BaseException as error:
            self._close(cursor)
            if isinstance(error, PyMongoError):
                self._fail(cursor, error)
            raise
        return cursor

    def _close(self, cursor: ChangeCursor) -> None:
        if self._cursor is cursor:
            self._cursor, self._token = None, cursor.token
        _concurrency.shielded(close_cursor, cursor)

    def _next_event(self, cursor: ChangeCursor) -> Reply | None:
        """Return the next event, and retry if the connection breaks; None at the end."""
        if cursor.has_broken:
            close_broken_cursors(cursor)
        replied_at, retries = time.monotonic(), 0
        while self._cursor is cursor and not self._is_stopped and not self._is_over:
            try:
                reply = next_reply(cursor)
            except PyMongoError as error:
                if self._is_closed(cursor, error):
                    break
                seconds = time.monotonic() - replied_at
                if not can_resume(error) or seconds > settings().server_timeout:
                    self._fail(cursor, error)
                _concurrency.sleep(min(_FIRST_WAIT * _GROWTH**retries, _LONGEST_WAIT))
                retries, cursor.has_broken = retries + 1, True
            else:
                if self._cursor is not cursor:
                    break
                self._is_over = cursor.is_invalidated
                if reply.event is not None:
                    return reply
                cursor.take(reply)
                replied_at, retries = time.monotonic(), 0
        if self._cursor is not cursor:
            # Another thread has closed it, perhaps while it was being opened again.
            _concurrency.shielded(close_cursor, cursor)
        return None

    def _is_closed(self, cursor: ChangeCursor, error: PyMongoError) -> bool:
        """Say whether an error means that another thread has closed the cursor or its client."""
        if self._cursor is cursor:
            self._is_over = isinstance(error, InvalidOperation)
        return self._is_over or self._cursor is not cursor

    def _fail(self, cursor: ChangeCursor, error: PyMongoError) -> NoReturn:
        self._is_over = True
        known = translate(error, f"watch {self._model.__name__}")
        was_open = self._cursor is cursor
        if isinstance(error, ConnectionFailure) and was_open:
            seconds = f"{settings().server_timeout:g}"
            known = ConnectionFailed(
                f"{known.message}; it could not be reached again for {seconds} seconds",
                hint="no change is lost: once the server is reachable, watch(resume_after=token) "
                "continues after the last one; the setting server_timeout says how long to retry",
            )
        elif isinstance(known, OperationFailed) and not was_open and self._token is not None:
            known.hint = known.hint or "resume_after takes the `token` of a change, unaltered"
        raise known from error


def watch(
    model: type[D], spec: QuerySpec | None = None, *, resume_after: str | None = None
) -> Changes[D]:
    """Return the changes of a model's documents that match a query.

    Parameters:
        model: A declared model.
        spec: A query of filters alone; None for all changes.
        resume_after: The token of the change to continue after; None begins with new changes.

    Raises:
        QueryError: The query has more than filters, or a filter or an option that change streams do
            not support, or `resume_after` is not a token.
        TransactionError: A transaction is in force.
    """
    context = current_context()
    if context.transaction is not None:
        raise TransactionError(
            f"changes of {model.__name__} cannot be watched inside a transaction",
            hint="MongoDB sends the changes of a transaction after its commit: call watch() "
            "before the transaction() block, or after it",
        )
    token = None if resume_after is None else token_document(resume_after)
    spec = spec or QuerySpec()
    return Changes(model, change_pipeline(spec), context, token, spec.options)
