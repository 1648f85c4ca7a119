# Generated from loom_async/change_cursors.py by `nox -s sync`: edit that file, not this one.
"""The cursors of a change stream, one after another, and nothing left open on the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import timeout
from pymongo.errors import PyMongoError
from pymongo.synchronous.change_stream import ChangeStream
from pymongo.synchronous.client_session import ClientSession

from loom_async._core.context import Place
from loom_async._core.driver_errors import translated
from loom_async._core.model.values import CODEC_OPTIONS

from . import _seam
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
        self.session: ClientSession | None = None
        self.cursor: ChangeStream[Any] | None = None

    @property
    def is_over(self) -> bool:
        """Whether the server has closed the stream: its collection has been dropped."""
        return self.cursor is not None and not self.cursor.alive


def asked(stream: Stream, step: Callable[[Stream], R]) -> R:
    """Do a step; if it is given up, nothing of it stays, and the next one begins anew."""
    try:
        return step(stream)
    except PyMongoError:
        raise
    except BaseException as error:
        _seam.in_any_case(_give_up, stream)
        known = translated(error, f"watch {stream.model.__name__}")
        if known is None:
            raise
        raise known from error


def begin(stream: Stream) -> None:
    """Open a cursor after the last event."""
    # Once: operations may go to another server by the time that a connection breaks.
    if stream.collection is None:
        stream.collection = collection_of(stream.model, stream.place, indexed=False)
    if stream.session is None:
        client = stream.collection.database.client
        stream.session = client.start_session(causal_consistency=False)
    # The first batch is left empty: so the reply says where the stream begins.
    stream.cursor = _seam.heeding(
        stream.collection.with_options(_RAW).watch,
        stream.pipeline,
        full_document="updateLookup",
        start_after=stream.token,
        batch_size=0,
        session=stream.session,
    )
    stream.token = stream.cursor.resume_token


def next_event(stream: Stream) -> RawBSONDocument | None:
    """Return the next event; None if there was none within a second."""
    if stream.cursor is None:
        begin(stream)
    cursor: Any = stream.cursor
    event: RawBSONDocument | None = _seam.heeding(cursor.try_next)
    # Asked for each event, pymongo's own copy of the place would take half of the time.
    stream.token = cursor.resume_token if event is None else event["_id"]
    return event


def forget_broken(stream: Stream) -> None:
    """Tell the server of the cursors before a connection broke, once it answers again.

    Not with an event in hand: it would be lost if this is cancelled.
    """
    stream.has_broken = False
    _seam.in_any_case(_give_up, stream)


def end(stream: Stream) -> None:
    """Close the cursor, and all that may be left of those before it."""
    if stream.cursor is not None:
        with timeout(SECONDS_TO_GIVE_UP):
            stream.cursor.close()
    # pymongo takes the cursor of a broken connection for closed; the server does not.
    _give_up(stream)


def _give_up(stream: Stream) -> None:
    session, stream.session, stream.cursor = stream.session, None, None
    if session is not None:
        # By the session, since a cursor whose reply has not come has no other name. It is not
        # given back to the driver's pool: what it is used for next might be killed as well.
        end_queries(session)
