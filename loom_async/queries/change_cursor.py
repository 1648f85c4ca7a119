"""The cursor of a change stream, reopened after the last event whenever a connection breaks."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, NamedTuple

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import timeout
from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.errors import PyMongoError

from .. import _concurrency
from .._core.bson_codec import CODEC_OPTIONS
from .._core.context import OperationContext
from .._core.driver_errors import translated
from .._core.query.options import QueryOptions
from ..collections.find import collection_of
from ..connection.driver_types import MongoCollection
from ..operations import query_session

_RAW: CodecOptions[Any] = CODEC_OPTIONS.with_options(document_class=RawBSONDocument)


class Reply(NamedTuple):
    """The reply to a request: an event, or None, and the resume token after it."""

    event: RawBSONDocument | None
    token: Any


class ChangeCursor:
    """The state of a change stream: the driver's cursor, and where to open the next one.

    Parameters:
        model: A declared model.
        pipeline: The stages that filter the events.
        context: The operation context in which the collection is found.
        token: The resume token to begin after; None begins with new events.
        options: The options of the query.
    """

    __slots__ = (
        "collection", "context", "driver_cursor", "has_broken", "model", "options", "pending",
        "pipeline", "session", "token",
    )  # fmt: skip

    def __init__(
        self,
        model: type,
        pipeline: list[dict[str, Any]],
        context: OperationContext,
        token: Any,
        options: QueryOptions,
    ) -> None:
        self.model: type = model
        self.options: QueryOptions = options
        self.pipeline: list[dict[str, Any]] = pipeline
        self.context: OperationContext = context
        #: The resume token after the last reply that was taken.
        self.token: Any = token
        #: True if a connection broke since the server was last told to close all cursors.
        self.has_broken: bool = False
        self.collection: MongoCollection | None = None
        self.session: query_session.QuerySession | None = None
        self.driver_cursor: AsyncChangeStream[Any] | None = None
        #: The last request. It continues when its caller is cancelled, so that no event is lost.
        self.pending: _concurrency.PendingCall[Reply] = _concurrency.PendingCall()

    @property
    def is_invalidated(self) -> bool:
        """True if the server has closed the change stream, as its collection was dropped."""
        return self.driver_cursor is not None and not self.driver_cursor.alive

    def take(self, reply: Reply) -> None:
        """Mark a reply as used: the next request continues after it."""
        self.pending.take()
        self.token = reply.token


async def open_cursor(cursor: ChangeCursor) -> None:
    """Open the driver's cursor after the last event."""
    cursor.take(await _reply(cursor, _open))


async def next_reply(cursor: ChangeCursor) -> Reply:
    """Return the next reply; the same one until it is taken.

    A request continues when its caller is cancelled, and the next caller gets its reply.
    """
    return await _reply(cursor, _try_next)


async def _reply(
    cursor: ChangeCursor, request: Callable[[ChangeCursor], Coroutine[Any, Any, Reply]]
) -> Reply:
    try:
        return await cursor.pending.result(
            partial(request, cursor), is_immediate=_has_buffered_event(cursor)
        )
    except PyMongoError:
        raise
    except BaseException as error:
        if not cursor.pending.is_empty:
            raise
        await _concurrency.shielded(close_cursor, cursor)
        known = translated(error, f"watch {cursor.model.__name__}")
        if known is None:
            raise
        raise known from error


def _has_buffered_event(cursor: ChangeCursor) -> bool:
    """Say whether the driver has an event left from the server's last batch."""
    driver_cursor: Any = cursor.driver_cursor
    has_next: Any = getattr(getattr(driver_cursor, "_cursor", None), "_has_next", None)
    return has_next is not None and bool(has_next())


async def _open(cursor: ChangeCursor) -> Reply:
    # Found once: the context may lead to another server by the time that a connection breaks.
    if cursor.collection is None:
        cursor.collection = await collection_of(cursor.model, cursor.context, indexed=False)
    if cursor.session is None:
        cursor.session = query_session.QuerySession(cursor.collection.database.client)
    # With an empty first batch, the reply has the resume token at which the change stream begins.
    watch = partial(
        cursor.collection.with_options(_RAW, cursor.options.read_preference).watch,
        cursor.pipeline,
        full_document="updateLookup",
        start_after=cursor.token,
        batch_size=0,
        session=cursor.session.driver,
        comment=cursor.options.comment,
    )
    cursor.driver_cursor = await query_session.tracked(cursor.session, watch)
    return Reply(None, cursor.driver_cursor.resume_token)


async def _try_next(cursor: ChangeCursor) -> Reply:
    """Return the next event; None if none comes within a second."""
    if cursor.driver_cursor is None:
        return await _open(cursor)
    assert cursor.session is not None
    driver_cursor: Any = cursor.driver_cursor
    event: RawBSONDocument | None = await query_session.tracked(
        cursor.session, driver_cursor.try_next
    )
    # An event's id is its resume token. Reading pymongo's copy would take half of the time.
    return Reply(event, driver_cursor.resume_token if event is None else event["_id"])


async def close_broken_cursors(cursor: ChangeCursor) -> None:
    """Have the server close the cursors whose connection broke, now that it is reachable.

    Does nothing while a reply is kept: it would be lost if the caller is cancelled.
    """
    if cursor.pending.is_empty:
        cursor.has_broken = False
        await _concurrency.shielded(close_cursor, cursor)


async def close_cursor(cursor: ChangeCursor) -> None:
    """Close the driver's cursor and all earlier ones; afterwards it can be opened again."""
    # Once a cursor is open, the reply to a request is not awaited: it can take a second, and the
    # server closes the cursor when the session is killed.
    await cursor.pending.end(partial(_kill, cursor), must_reply=cursor.driver_cursor is None)
    session, driver_cursor = cursor.session, cursor.driver_cursor
    cursor.session = cursor.driver_cursor = None
    if driver_cursor is not None:
        with timeout(query_session.SECONDS_TO_GIVE_UP):
            await driver_cursor.close()
    if session is not None:
        # pymongo considers the cursor of a broken connection closed; on the server it is open.
        await query_session.end(session, has_open=True)


async def _kill(cursor: ChangeCursor) -> bool:
    """Have the server end the commands in progress; return False if it could not be told."""
    return cursor.session is not None and await query_session.kill(cursor.session)
