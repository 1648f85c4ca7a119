"""The cursors of a change stream, one after another, and nothing left open on the server."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import timeout
from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError

from . import _seam
from ._core.context import Place
from ._core.driver_errors import translated
from ._core.model.values import CODEC_OPTIONS
from .clients import MongoCollection
from .cursors import SECONDS_TO_GIVE_UP, end_queries
from .database import collection_of

R = TypeVar("R")

_RAW: CodecOptions[Any] = CODEC_OPTIONS.with_options(document_class=RawBSONDocument)


class Stream:
    """The changes of a collection, from when they begin to be watched until they no longer are.

    Parameters:
        model: A declared model.
        pipeline: What to select.
        place: Where the collection is.
        token: Where to begin; None for now.
    """

    __slots__ = (
        "collection", "cursor", "has_broken", "model", "pipeline", "place", "session", "token",
    )  # fmt: skip

    def __init__(
        self, model: type, pipeline: list[dict[str, Any]], place: Place, token: Any
    ) -> None:
        self.model: type = model
        self.pipeline: list[dict[str, Any]] = pipeline
        self.place: Place = place
        self.token: Any = token
        self.has_broken: bool = False
        self.collection: MongoCollection | None = None
        self.session: AsyncClientSession | None = None
        self.cursor: AsyncChangeStream[Any] | None = None

    @property
    def is_over(self) -> bool:
        """Whether the server has closed the stream: its collection has been dropped."""
        return self.cursor is not None and not self.cursor.alive


async def asked(stream: Stream, step: Callable[[Stream], Coroutine[Any, Any, R]]) -> R:
    """Do a step; if it is given up, nothing of it stays, and the next one begins anew."""
    try:
        return await step(stream)
    except PyMongoError:
        raise
    except BaseException as error:
        await _seam.in_any_case(_give_up, stream)
        known = translated(error, f"watch {stream.model.__name__}")
        if known is None:
            raise
        raise known from error


async def begin(stream: Stream) -> None:
    """Open a cursor after the last event."""
    # Once: operations may go to another server by the time that a connection breaks.
    if stream.collection is None:
        stream.collection = await collection_of(stream.model, stream.place, indexed=False)
    if stream.session is None:
        client = stream.collection.database.client
        stream.session = client.start_session(causal_consistency=False)
    # The first batch is left empty: so the reply says where the stream begins.
    stream.cursor = await _seam.heeding(
        stream.collection.with_options(_RAW).watch,
        stream.pipeline,
        full_document="updateLookup",
        start_after=stream.token,
        batch_size=0,
        session=stream.session,
    )
    stream.token = stream.cursor.resume_token


async def next_event(stream: Stream) -> RawBSONDocument | None:
    """Return the next event; None if there was none within a second."""
    if stream.cursor is None:
        await begin(stream)
    cursor: Any = stream.cursor
    event: RawBSONDocument | None = await _seam.heeding(cursor.try_next)
    # Asked for each event, pymongo's own copy of the place would take half of the time.
    stream.token = cursor.resume_token if event is None else event["_id"]
    return event


async def forget_broken(stream: Stream) -> None:
    """Tell the server of the cursors before a connection broke, once it answers again.

    Not with an event in hand: it would be lost if this is cancelled.
    """
    stream.has_broken = False
    await _seam.in_any_case(_give_up, stream)


async def end(stream: Stream) -> None:
    """Close the cursor, and all that may be left of those before it."""
    if stream.cursor is not None:
        with timeout(SECONDS_TO_GIVE_UP):
            await stream.cursor.close()
    # pymongo takes the cursor of a broken connection for closed; the server does not.
    await _give_up(stream)


async def _give_up(stream: Stream) -> None:
    session, stream.session, stream.cursor = stream.session, None, None
    if session is not None:
        # By the session, since a cursor whose reply has not come has no other name. It is not
        # given back to the driver's pool: what it is used for next might be killed as well.
        await end_queries(session)
