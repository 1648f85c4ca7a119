"""Changes: from what a change stream sends to what users get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from bson import json_util
from bson.raw_bson import RawBSONDocument

from ..bson_codec import decode_bson, utc_milliseconds
from ..errors import InvalidDocument, QueryError
from ..types.values import from_bson
from .document import DocumentModel
from .hydration import decode_stream, hydrator
from .identity import loaded_id

D = TypeVar("D", bound=DocumentModel)

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Change(Generic[D]):
    """One change of a collection.

    Parameters:
        operation: `"insert"`, `"update"`, `"replace"` or `"delete"`; of the whole collection
            `"drop"`, `"rename"` or `"dropDatabase"`, and `"invalidate"`, which ends the stream.
        id: The document's id; None if the change is one of the whole collection.
        document: The document, which can be edited and persisted; after an update, as it is now.
            None if there is none, or no longer.
        updated: The new values of an update, by stored dotted path, as MongoDB holds them.
        removed: The stored dotted paths that an update removed.
        truncated: The new lengths of the arrays that an update cut short, by stored dotted path.
        at: When it happened, in UTC; None if the server does not say.
        token: The place of the change: `watch(resume_after=token)` goes on after it.

    Example:
        >>> import loom_async as lm
        >>> def described(change: lm.Change[lm.Persistable]) -> str:
        ...     return f"{change.operation} {change.id} at {change.at}"
    """

    operation: str
    id: Any
    document: D | None
    updated: Mapping[str, Any]
    removed: tuple[str, ...]
    truncated: Mapping[str, int]
    at: datetime | None
    token: str = field(repr=False)


def change_of(model: type[D], event: RawBSONDocument) -> Change[D]:
    """Return the change that an event tells of.

    Parameters:
        model: The model of the collection.
        event: The event; it is raw, as a document that Python cannot hold must not hide its place.

    Raises:
        InvalidDocument: The event's document, or its id, does not fit the model.
    """
    token = token_text(event["_id"])
    try:
        return _change_of(model, event, token)
    except InvalidDocument as error:
        error.add_note(f"watch(resume_after={token!r}) goes on after this change")
        raise


def _change_of(model: type[D], event: RawBSONDocument, token: str) -> Change[D]:
    full, key = event.get("fullDocument"), event.get("documentKey")
    document: D | None = None if full is None else hydrator(model).many(bytes(full.raw))[0]
    if document is not None:
        id: Any = document.id
    else:
        id = None if key is None else loaded_id(model, decode_stream(bytes(key.raw))[0]["_id"])
    description = event.get("updateDescription")
    # A copy, so that editing it edits nothing else; and a far date is an error of the document.
    how = _NOTHING if description is None else from_bson(decode_stream(bytes(description.raw))[0])
    return Change(
        operation=event["operationType"],
        id=id,
        document=document,
        updated=how.get("updatedFields", {}),
        removed=tuple(how.get("removedFields", ())),
        truncated={cut["field"]: cut["newSize"] for cut in how.get("truncatedArrays") or ()},
        at=_time_of(event),
        token=token,
    )


def _time_of(event: RawBSONDocument) -> datetime | None:
    if (wall := event.get("wallTime")) is not None:  # since MongoDB 6
        return utc_milliseconds(wall)
    cluster = event.get("clusterTime")
    return None if cluster is None else utc_milliseconds(cluster.as_datetime())


def token_text(token: Mapping[str, Any]) -> str:
    """Return the text that stands for a server's resume token."""
    plain = decode_bson(bytes(token.raw)) if isinstance(token, RawBSONDocument) else dict(token)
    data = plain.get("_data")
    if len(plain) == 1 and isinstance(data, str):
        return data
    return json_util.dumps(plain, json_options=json_util.CANONICAL_JSON_OPTIONS)


def token_document(text: str) -> dict[str, Any]:
    """Return the server's resume token for its text.

    Raises:
        QueryError: It is none.
    """
    document = _document_of(text) if isinstance(text, str) else None
    if document is None:
        raise QueryError(
            f"{text!r} is no token of a change", hint="resume_after takes the `token` of a change"
        )
    return document


def _document_of(text: str) -> dict[str, Any] | None:
    try:
        if text.startswith("{"):
            return json_util.loads(text)  # type: ignore[no-any-return]
        return {"_data": text} if bytes.fromhex(text) else None
    except ValueError:
        return None
