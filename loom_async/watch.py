"""Change streams: what happens to a model's documents, as it happens."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from types import TracebackType
from typing import Any, Generic, NoReturn, Self, TypeVar

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import timeout
from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import ConnectionFailure, PyMongoError

from . import _seam, hooks
from ._core.context import Place, here
from ._core.driver_errors import is_passing, translate, translated
from ._core.errors import ConnectionFailed, OperationFailed, QueryError, TransactionError
from ._core.model.change_event import Change, change_of, token_document, token_text
from ._core.model.document import DocumentModel
from ._core.model.values import CODEC_OPTIONS
from ._core.query.change_filter import change_pipeline
from ._core.query.spec import QuerySpec
from ._core.settings import settings
from .cursors import SECONDS_TO_GIVE_UP, end_queries
from .database import collection_of

D = TypeVar("D", bound=DocumentModel)
R = TypeVar("R")

_RAW: CodecOptions[Any] = CODEC_OPTIONS.with_options(document_class=RawBSONDocument)
_FIRST_WAIT, _LONGEST_WAIT, _GROWTH = 0.05, 2.0, 2


class Changes(Generic[D]):
    """The changes of a collection, one after another; made by `watch`.

    A loop over it opens the stream and closes it. A block has it open when its body begins, and
    closes it; iterate inside. Used again, it goes on where it stopped. One task at a time.

    Example:
        >>> import loom_async as lm
        >>> @lm.declare_persist_db("my_app", "users")
        ... class User(lm.Persistable):
        ...     name: str
        >>> async def main() -> None:
        ...     async with User.watch() as changes:
        ...         await User(name="Ann").persist()
        ...         async for change in changes:
        ...             print(change.operation, change.document)
        ...             break
    """

    __slots__ = (
        "_has_broken",
        "_is_open",
        "_is_over",
        "_is_stopped",
        "_model",
        "_pipeline",
        "_place",
        "_session",
        "_stream",
        "_token",
    )

    def __init__(
        self,
        model: type[D],
        pipeline: list[dict[str, Any]],
        place: Place,
        token: dict[str, Any] | None,
    ) -> None:
        self._model = model
        self._pipeline = pipeline
        self._place = place
        self._token: Any = token
        self._session: AsyncClientSession | None = None
        self._stream: AsyncChangeStream[Any] | None = None
        self._is_open = False
        self._is_over = False
        self._is_stopped = False
        self._has_broken = False

    @property
    def token(self) -> str | None:
        """The place up to which changes have been given; None before the stream is first open.

        `watch(resume_after=token)` goes on there. It moves on while nothing happens, too.
        """
        return None if self._token is None else token_text(self._token)

    def stop(self) -> None:
        """End the iteration, wherever this is called, within a second; it stays ended."""
        self._is_stopped = True

    async def __aenter__(self) -> Self:
        if self._is_open:
            raise QueryError(
                f"these changes of {self._model.__name__} are being watched already",
                hint="each watch() is one stream: call it once more for another",
            )
        self._is_open, self._is_over = True, False
        try:
            await self._asked(self._begin)
        except BaseException as error:
            self._is_open = False
            await _seam.in_any_case(self._end)
            if isinstance(error, PyMongoError):
                self._fail(error)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_open = False
        await _seam.in_any_case(self._end)

    def __aiter__(self) -> AsyncIterator[Change[D]]:
        return self if self._is_open else _alone(self)

    async def __anext__(self) -> Change[D]:
        if not self._is_open:
            raise QueryError(
                f"the changes of {self._model.__name__} are not being watched here",
                hint="ask for the next one inside `async with User.watch() as changes:`",
            )
        event = await self._event()
        if event is None:
            raise StopAsyncIteration
        change: Change[D] = change_of(self._model, event)
        if change.document is not None:
            await hooks.loaded((change.document,))
        return change

    async def _event(self) -> RawBSONDocument | None:
        """Return the next event, however often the connection breaks; None at the end."""
        if self._has_broken:
            # The server answers again, and can be told of the cursors before. Not with an event
            # in hand: it would be lost to who cancels this.
            self._has_broken = False
            await _seam.in_any_case(self._give_up)
        answered, attempt = time.monotonic(), 0
        while not self._is_stopped and not self._is_over:
            try:
                event = await self._asked(self._next)
            except PyMongoError as error:
                if not is_passing(error) or time.monotonic() - answered > settings().server_timeout:
                    self._fail(error)
                await _seam.sleep(min(_FIRST_WAIT * _GROWTH**attempt, _LONGEST_WAIT))
                attempt, self._has_broken = attempt + 1, True
            else:
                if event is not None:
                    return event
                answered, attempt = time.monotonic(), 0
        return None

    def _fail(self, error: PyMongoError) -> NoReturn:
        self._is_over = True
        known = translate(error, f"watch {self._model.__name__}")
        if isinstance(error, ConnectionFailure) and self._is_open:
            seconds = f"{settings().server_timeout:g}"
            known = ConnectionFailed(
                f"{known.message}; it could not be reached again for {seconds} seconds",
                hint="nothing is lost: watch(resume_after=token) goes on after the last change, "
                "once the server is reachable; the setting server_timeout says how long to try",
            )
        elif isinstance(known, OperationFailed) and not self._is_open and self._token is not None:
            known.hint = known.hint or "resume_after takes a token of a change as it was given"
        raise known from error

    async def _begin(self) -> None:
        collection = await collection_of(self._model, self._place, indexed=False)
        if self._session is None:
            client = collection.database.client
            self._session = client.start_session(causal_consistency=False)
        # The first batch is left empty: so the reply says where the stream begins.
        self._stream = await _seam.heeding(
            collection.with_options(_RAW).watch,
            self._pipeline,
            full_document="updateLookup",
            start_after=self._token,
            batch_size=0,
            session=self._session,
        )
        self._token = self._stream.resume_token

    async def _next(self) -> RawBSONDocument | None:
        if self._stream is None:
            await self._begin()
        stream: Any = self._stream
        event: RawBSONDocument | None = await _seam.heeding(stream.try_next)
        # Asked for each event, pymongo's own copy of the place would take half of the time.
        self._token = stream.resume_token if event is None else event["_id"]
        self._is_over = not stream.alive
        return event

    async def _asked(self, step: Callable[[], Coroutine[Any, Any, R]]) -> R:
        """Do a step; if it is given up, nothing of it stays, and the next one begins anew."""
        try:
            return await step()
        except PyMongoError:
            raise
        except BaseException as error:
            await _seam.in_any_case(self._give_up)
            known = translated(error, f"watch {self._model.__name__}")
            if known is None:
                raise
            raise known from error

    async def _give_up(self) -> None:
        session, self._session, self._stream = self._session, None, None
        if session is not None:
            # By the session, since a cursor whose reply has not come has no other name. It is not
            # given back to the driver's pool: what it is used for next might be killed as well.
            await end_queries(session)

    async def _end(self) -> None:
        stream = self._stream
        if stream is not None:
            with timeout(SECONDS_TO_GIVE_UP):
                await stream.close()
        # pymongo takes the cursor of a broken connection for closed; the server does not.
        await self._give_up()


async def _alone(changes: Changes[D]) -> AsyncGenerator[Change[D], None]:
    async with changes:
        async for change in changes:
            yield change


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
    place = here()
    if place.transaction is not None:
        raise TransactionError(
            f"changes of {model.__name__} cannot be watched inside a transaction",
            hint="MongoDB tells of changes when a transaction has been committed: call watch() "
            "before the transaction() block, or after it",
        )
    token = None if resume_after is None else token_document(resume_after)
    return Changes(model, change_pipeline(spec or QuerySpec()), place, token)
