"""`Change`, made from an event of a change stream; resume tokens as text."""

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
from .hydration import decode_raw_batch, hydrator
from .identity import loaded_id

D = TypeVar("D", bound=DocumentModel)

_NO_UPDATE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Change(Generic[D]):
    """One change that `watch` returns.

    Parameters:
        operation: `"insert"`, `"update"`, `"replace"` or `"delete"`; for the whole collection
            `"drop"`, `"rename"` or `"dropDatabase"`, and `"invalidate"`, which ends the change
            stream.
        id: The document's id; None if the whole collection has changed.
        document: The document as a loaded object; after an update, in its current state. None after
            a deletion, or if it has been deleted since.
        updated: The new values of an update, by stored dotted path, as MongoDB stores them.
        removed: The stored dotted paths that an update removed.
        truncated: The new lengths of the arrays that an update truncated, by stored dotted path.
        at: When it happened, in UTC; None if the server does not say.
        token: The position of the change: `watch(resume_after=token)` resumes after it.

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
    """Return the change that an event describes.

    Parameters:
        model: The model of the collection.
        event: The event. It is raw, so that its token can be read even if its document cannot.

    Raises:
        InvalidDocument: The event's document, or its id, does not fit the model.
    """
    token = token_text(event["_id"])
    try:
        return _change_of(model, event, token)
    except InvalidDocument as error:
        error.add_note(f"watch(resume_after={token!r}) continues after this change")
        raise


def _change_of(model: type[D], event: RawBSONDocument, token: str) -> Change[D]:
    full, key = event.get("fullDocument"), event.get("documentKey")
    document: D | None = None if full is None else hydrator(model).many(bytes(full.raw))[0]
    if document is not None:
        id: Any = document.id
    else:
        id = None if key is None else loaded_id(model, decode_raw_batch(bytes(key.raw))[0]["_id"])
    description = event.get("updateDescription")
    # from_bson copies, so that editing one field changes no other. decode_raw_batch raises
    # InvalidDocument for a date that Python cannot hold.
    update: Mapping[str, Any] = _NO_UPDATE
    if description is not None:
        update = from_bson(decode_raw_batch(bytes(description.raw))[0])
    return Change(
        operation=event["operationType"],
        id=id,
        document=document,
        updated=update.get("updatedFields", {}),
        removed=tuple(update.get("removedFields", ())),
        truncated={cut["field"]: cut["newSize"] for cut in update.get("truncatedArrays") or ()},
        at=_time_of(event),
        token=token,
    )


def _time_of(event: RawBSONDocument) -> datetime | None:
    if (wall := event.get("wallTime")) is not None:  # since MongoDB 6
        return utc_milliseconds(wall)
    cluster = event.get("clusterTime")
    return None if cluster is None else utc_milliseconds(cluster.as_datetime())


def token_text(token: Mapping[str, Any]) -> str:
    """Return a resume token of the server as text."""
    plain = decode_bson(bytes(token.raw)) if isinstance(token, RawBSONDocument) else dict(token)
    data = plain.get("_data")
    if len(plain) == 1 and isinstance(data, str):
        return data
    return json_util.dumps(plain, json_options=json_util.CANONICAL_JSON_OPTIONS)


def token_document(text: str) -> dict[str, Any]:
    """Return the server's resume token for its text.

    Raises:
        QueryError: The text is not a token.
    """
    document = _parsed(text) if isinstance(text, str) else None
    if document is None:
        raise QueryError(
            f"{text!r} is not the token of a change",
            hint="resume_after takes the `token` of a change",
        )
    return document


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        if text.startswith("{"):
            return json_util.loads(text)  # type: ignore[no-any-return]
        return {"_data": text} if bytes.fromhex(text) else None
    except ValueError:
        return None
