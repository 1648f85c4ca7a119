# Generated from loom_async/queries/change_cursor.py by `nox -s sync`: edit that file.
"""The cursors of a change stream, one after another, and nothing left open on the server."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeVar

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import timeout
from pymongo.errors import PyMongoError
from pymongo.synchronous.change_stream import ChangeStream

from loom_async._core.bson_codec import CODEC_OPTIONS
from loom_async._core.context import OperationContext
from loom_async._core.driver_errors import translated

from .. import _concurrency
from ..collections.find import collection_of
from ..connection.driver_types import MongoCollection
from ..operations import query_session

R = TypeVar("R")

_RAW: CodecOptions[Any] = CODEC_OPTIONS.with_options(document_class=RawBSONDocument)


class Step(NamedTuple):
    """What a call has found: an event, None if there was none, and the place after it."""

    event: RawBSONDocument | None
    token: Any


class Stream:
    """The changes of a collection, from when they begin to be watched until they no longer are.

    Parameters:
        model: A declared model.
        pipeline: What to select.
        place: Where the collection is.
        token: Where to begin; None for now.
    """

    __slots__ = (
        "collection", "cursor", "has_broken", "held", "model", "pipeline", "place", "session",
        "token",
    )  # fmt: skip

    def __init__(
        self, model: type, pipeline: list[dict[str, Any]], place: OperationContext, token: Any
    ) -> None:
        self.model: type = model
        self.pipeline: list[dict[str, Any]] = pipeline
        self.place: OperationContext = place
        #: The place up to which changes have been taken.
        self.token: Any = token
        self.has_broken: bool = False
        self.collection: MongoCollection | None = None
        self.session: query_session.QuerySession | None = None
        self.cursor: ChangeStream[Any] | None = None
        #: What was asked for last. It goes on when its caller is cancelled, so nothing is lost.
        self.held: _concurrency.PendingCall[Step] = _concurrency.PendingCall()

    @property
    def is_over(self) -> bool:
        """Whether the server has closed the stream: its collection has been dropped."""
        return self.cursor is not None and not self.cursor.alive

    def take(self, step: Step) -> None:
        """Note that a change has been given, or that there was none: the stream goes on after."""
        self.held.take()
        self.token = step.token


def opened(stream: Stream) -> None:
    """Open the stream's cursor after the last event."""
    stream.take(_asked(stream, _begin))


def next_step(stream: Stream) -> Step:
    """Return what comes next, the same until it is taken.

    A call that is under way goes on when its caller is cancelled.
    """
    return _asked(stream, _next)


def _asked(stream: Stream, call: Callable[[Stream], Step]) -> Step:
    try:
        return stream.held.result(partial(call, stream), is_immediate=_is_at_hand(stream))
    except PyMongoError:
        raise
    except BaseException as error:
        if not stream.held.is_empty:
            raise
        _concurrency.shielded(end, stream)
        known = translated(error, f"watch {stream.model.__name__}")
        if known is None:
            raise
        raise known from error


def _is_at_hand(stream: Stream) -> bool:
    """Say whether the driver has an event that has come with others."""
    cursor: Any = stream.cursor
    has_next: Any = getattr(getattr(cursor, "_cursor", None), "_has_next", None)
    return has_next is not None and bool(has_next())


def _begin(stream: Stream) -> Step:
    # Once: operations may go to another server by the time that a connection breaks.
    if stream.collection is None:
        stream.collection = collection_of(stream.model, stream.place, indexed=False)
    if stream.session is None:
        stream.session = query_session.QuerySession(stream.collection.database.client)
    # The first batch is left empty: so the reply says where the stream begins.
    watch = partial(
        stream.collection.with_options(_RAW).watch,
        stream.pipeline,
        full_document="updateLookup",
        start_after=stream.token,
        batch_size=0,
        session=stream.session.driver,
    )
    stream.cursor = query_session.tracked(stream.session, watch)
    return Step(None, stream.cursor.resume_token)


def _next(stream: Stream) -> Step:
    """Return the next event, or none if there was none within a second."""
    if stream.cursor is None:
        return _begin(stream)
    assert stream.session is not None
    cursor: Any = stream.cursor
    event: RawBSONDocument | None = query_session.tracked(stream.session, cursor.try_next)
    # Asked for each event, pymongo's own copy of the place would take half of the time.
    return Step(event, cursor.resume_token if event is None else event["_id"])


def forget_broken(stream: Stream) -> None:
    """Tell the server of the cursors before a connection broke, once it answers again.

    Not with an event in hand: it would be lost if this is cancelled.
    """
    if stream.held.is_empty:
        stream.has_broken = False
        _concurrency.shielded(end, stream)


def end(stream: Stream) -> None:
    """Close the cursor, and all that may be left of those before it; the stream can begin anew."""
    # The server waits for events to the end of their second, but its cursor is gone when killed.
    stream.held.end(partial(_kill, stream), must_reply=stream.cursor is None)
    session, cursor = stream.session, stream.cursor
    stream.session = stream.cursor = None
    if cursor is not None:
        with timeout(query_session.SECONDS_TO_GIVE_UP):
            cursor.close()
    if session is not None:
        # pymongo takes the cursor of a broken connection for closed; the server does not.
        query_session.end(session, has_open=True)


def _kill(stream: Stream) -> bool:
    """Have the server end what runs; say whether it could be told."""
    return stream.session is not None and query_session.kill(stream.session)
