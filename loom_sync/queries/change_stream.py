# Generated from loom_async/queries/change_stream.py by `nox -s sync`: edit that file.
"""Change streams: what happens to a model's documents, as it happens."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from types import TracebackType
from typing import Any, Generic, NoReturn, Self, TypeVar
from weakref import ref

from pymongo.errors import ConnectionFailure, InvalidOperation, PyMongoError

from loom_async._core.context import OperationContext, current_context
from loom_async._core.driver_errors import is_passing, translate
from loom_async._core.errors import ConnectionFailed, OperationFailed, QueryError, TransactionError
from loom_async._core.model.change_event import Change, change_of, token_document, token_text
from loom_async._core.model.document import DocumentModel
from loom_async._core.query.change_filter import change_pipeline
from loom_async._core.query.query_spec import QuerySpec
from loom_async._core.settings import settings

from .. import _concurrency
from ..documents import hooks
from .change_cursor import Step, Stream, end, forget_broken, next_step, opened

D = TypeVar("D", bound=DocumentModel)

_FIRST_WAIT, _LONGEST_WAIT, _GROWTH = 0.05, 2.0, 2


class Changes(Generic[D]):
    """The changes of a collection, one after another; made by `watch`.

    A loop over it opens the stream and closes it. A block has it open when its body begins, and
    closes it; iterate inside. Used again, it goes on where it stopped. One thread at a time.

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
        "_is_asked",
        "_is_over",
        "_is_stopped",
        "_loop",
        "_model",
        "_pipeline",
        "_place",
        "_stream",
        "_token",
    )

    def __init__(
        self,
        model: type[D],
        pipeline: list[dict[str, Any]],
        place: OperationContext,
        token: dict[str, Any] | None,
    ) -> None:
        self._model = model
        self._pipeline = pipeline
        self._place = place
        self._token: Any = token
        self._stream: Stream | None = None
        self._loop: ref[Any] | None = None
        self._is_asked = False
        self._is_over = False
        self._is_stopped = False

    @property
    def token(self) -> str | None:
        """The place up to which changes have been given; None before the stream is first open.

        `watch(resume_after=token)` goes on there. It moves on while nothing happens, too.
        """
        place = self._token if self._stream is None else self._stream.token
        return None if place is None else token_text(place)

    def stop(self) -> None:
        """End the iteration, wherever this is called, within a second; it stays ended."""
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
        if self._stream is not None:
            self._close(self._stream)

    def __iter__(self) -> Iterator[Change[D]]:
        if self._stream is not None and not self._is_abandoned():
            return self
        owner: list[ref[Any]] = []
        loop = self._alone(owner)
        owner.append(ref(loop))
        return loop

    def __next__(self) -> Change[D]:
        if self._stream is None:
            raise QueryError(
                f"the changes of {self._model.__name__} are not being watched here",
                hint="ask for the next one inside `with User.watch() as changes:`",
            )
        if self._is_asked:
            raise QueryError(
                f"the next change of {self._model.__name__} is being waited for already",
                hint="each watch() is one stream: call it once more for another task",
            )
        self._is_asked = True
        try:
            return self._next(self._stream)
        finally:
            self._is_asked = False

    def _next(self, stream: Stream) -> Change[D]:
        step = self._event(stream)
        if step is None or step.event is None:
            raise StopIteration
        try:
            change: Change[D] = change_of(self._model, step.event)
            if change.document is not None:
                hooks.loaded((change.document,))
        except Exception:
            stream.take(step)  # the loop can go on after it
            raise
        stream.take(step)
        return change

    def _alone(self, owner: list[ref[Any]]) -> Generator[Change[D], None, None]:
        stream = self._open(owner[0])
        try:
            yield from self
        finally:
            self._close(stream)

    def _is_abandoned(self) -> bool:
        """Say whether the stream is that of a loop which was left, and is closed when it may be."""
        return self._loop is not None and self._loop() is None

    def _open(self, loop: ref[Any] | None) -> Stream:
        if self._stream is not None and not self._is_abandoned():
            raise QueryError(
                f"these changes of {self._model.__name__} are being watched already",
                hint="each watch() is one stream: call it once more for another",
            )
        place = self._token if self._stream is None else self._stream.token
        stream = Stream(self._model, self._pipeline, self._place, place)
        self._stream, self._loop, self._is_over = stream, loop, False
        try:
            opened(stream)
        except BaseException as error:
            self._close(stream)
            if isinstance(error, PyMongoError):
                self._fail(stream, error)
            raise
        return stream

    def _close(self, stream: Stream) -> None:
        if self._stream is stream:
            self._stream, self._token = None, stream.token
        _concurrency.shielded(end, stream)

    def _event(self, stream: Stream) -> Step | None:
        """Return the next event, however often the connection breaks; None at the end."""
        if stream.has_broken:
            forget_broken(stream)
        answered, attempt = time.monotonic(), 0
        while self._stream is stream and not self._is_stopped and not self._is_over:
            try:
                step = next_step(stream)
            except PyMongoError as error:
                if self._is_closed(stream, error):
                    break
                if not is_passing(error) or time.monotonic() - answered > settings().server_timeout:
                    self._fail(stream, error)
                _concurrency.sleep(min(_FIRST_WAIT * _GROWTH**attempt, _LONGEST_WAIT))
                attempt, stream.has_broken = attempt + 1, True
            else:
                if self._stream is not stream:
                    break
                self._is_over = stream.is_over
                if step.event is not None:
                    return step
                stream.take(step)
                answered, attempt = time.monotonic(), 0
        if self._stream is not stream:
            # Another thread has closed it, perhaps while a cursor was being opened.
            _concurrency.shielded(end, stream)
        return None

    def _is_closed(self, stream: Stream, error: PyMongoError) -> bool:
        """Say whether another thread has closed a stream, or the client that it has."""
        if self._stream is stream:
            self._is_over = isinstance(error, InvalidOperation)
        return self._is_over or self._stream is not stream

    def _fail(self, stream: Stream, error: PyMongoError) -> NoReturn:
        self._is_over = True
        known = translate(error, f"watch {self._model.__name__}")
        is_open = self._stream is stream
        if isinstance(error, ConnectionFailure) and is_open:
            seconds = f"{settings().server_timeout:g}"
            known = ConnectionFailed(
                f"{known.message}; it could not be reached again for {seconds} seconds",
                hint="nothing is lost: watch(resume_after=token) goes on after the last change, "
                "once the server is reachable; the setting server_timeout says how long to try",
            )
        elif isinstance(known, OperationFailed) and not is_open and self._token is not None:
            known.hint = known.hint or "resume_after takes a token of a change as it was given"
        raise known from error


def watch(
    model: type[D], spec: QuerySpec | None = None, *, resume_after: str | None = None
) -> Changes[D]:
    """Return the changes of a model's documents that a query is about.

    Parameters:
        model: A declared model.
        spec: A query of filters alone; None for all changes.
        resume_after: The token of the change to go on after; None begins with what comes.

    Raises:
        QueryError: The query has more than filters, a filter that change streams do not take, or
            `resume_after` is no token.
        TransactionError: This is inside a transaction.
    """
    place = current_context()
    if place.transaction is not None:
        raise TransactionError(
            f"changes of {model.__name__} cannot be watched inside a transaction",
            hint="MongoDB tells of changes when a transaction has been committed: call watch() "
            "before the transaction() block, or after it",
        )
    token = None if resume_after is None else token_document(resume_after)
    return Changes(model, change_pipeline(spec or QuerySpec()), place, token)
