"""Objects made to agree with what the database holds, or held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from ..bson_codec import decode_bson
from ..errors import InvalidDocument
from ..types.codec import ANY
from ..types.scalars import Scalar
from .annotations import model_codec
from .diff import MISSING, same
from .document import UNREPORTED, DocumentModel, attempts_of, set_attempts, set_baseline, values_of
from .hydration import encode, hydrator
from .model_codec import ModelCodec, StoredField
from .three_way_merge import merged
from .write_plan import Insertion, Modification

D = TypeVar("D", bound=DocumentModel)


def absorb_insertion(document: DocumentModel, insertion: Insertion) -> None:
    """Make the model agree with the document that was just stored for it."""
    codec = model_codec(type(document))
    values_of(document).update(insertion.auto_values)
    set_baseline(document, insertion.raw)
    is_abandoned = any(attempt.is_abandoned for attempt in attempts_of(document))
    set_attempts(document, (UNREPORTED,) if is_abandoned else ())
    if codec.normalises:
        _settle(codec, document, insertion.raw)


def _settle(codec: ModelCodec, document: DocumentModel, raw: bytes) -> None:
    """Give the model the stored form of values that BSON holds with less precision."""
    containers: list[StoredField] = []
    for field in codec.fields:
        value = values_of(document)[field.name]
        if not field.codec.normalises or value is None:
            continue
        if isinstance(field.codec, Scalar):
            values_of(document)[field.name] = field.codec.encode(value)
        elif value:
            containers.append(field)
    if containers:
        stored = decode_bson(raw)
        fresh = hydrator(type(document)).fresh(stored)
        unedited = [
            field.name
            for field in containers
            if same(field.codec.encode(values_of(document)[field.name]), stored[field.stored_name])
        ]
        adopt(document, fresh, unedited)


def absorb_modification(document: DocumentModel, plan: Modification, raw: bytes) -> None:
    """Make the model agree with the reply to its update, but for edits made while it was under way.

    Parameters:
        document: The model that was planned from.
        plan: What was sent.
        raw: The document as the server had it after the update.
    """
    codec = model_codec(type(document))
    values_of(document).update(plan.auto_values)
    set_baseline(document, raw)
    set_attempts(document, ())
    # Most replies hold what was sent: the bytes say so at a fraction of the cost of every field.
    is_as_sent = raw == plan.expected
    if is_as_sent and not codec.normalises and not document.__pydantic_extra__:
        return
    stored = decode_bson(raw)
    news = [] if is_as_sent else [f for f in codec.fields if not _has(stored, f, plan.after)]
    if not (news or codec.normalises or document.__pydantic_extra__):
        return
    names, present = _with_edits(codec, document, plan.after, stored, news)
    try:
        fresh = hydrator(type(document)).fresh(present)
    except InvalidDocument:
        # An edit that was made meanwhile does not fit the model: the next persist says so.
        fresh, names = hydrator(type(document)).fresh(stored), []
    adopt(document, fresh, names)


def _with_edits(
    codec: ModelCodec,
    document: DocumentModel,
    sent: Mapping[str, Any],
    stored: dict[str, Any],
    news: Sequence[StoredField],
) -> tuple[list[str], dict[str, Any]]:
    """Return the fields that the reply changes, and the stored document with the edits since."""
    present, names = dict(stored), list[str]()
    for field in codec.fields:
        is_news = field in news
        if not (is_news or field.codec.normalises):
            continue
        name = field.stored_name
        mine = field.codec.encode(values_of(document)[field.name])
        value = merged(field.codec, sent[name], mine, stored.get(name, MISSING))
        if value is MISSING:
            present.pop(name, None)
        else:
            present[name] = value
        if is_news or same(mine, sent[name]):
            names.append(field.name)
    if codec.allows_extra:
        _merge_extra(codec, document, sent, stored, present)
    return names, present


def _merge_extra(
    codec: ModelCodec,
    document: DocumentModel,
    sent: Mapping[str, Any],
    stored: dict[str, Any],
    present: dict[str, Any],
) -> None:
    declared = codec.stored_names

    def undeclared(side: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in side.items() if name not in declared}

    mine, was, there = map(undeclared, (codec.encode(document), sent, stored))
    for name in there.keys() - merged(ANY, was, mine, there).keys():
        del present[name]
    present.update(merged(ANY, was, mine, there))


def _has(stored: dict[str, Any], field: StoredField, sent: Mapping[str, Any]) -> bool:
    return same(stored.get(field.stored_name), sent[field.stored_name])


def absorb_document(document: DocumentModel, stored: dict[str, Any]) -> None:
    """Make the model agree with the document as the server has it, local edits given up.

    Nested models that the caller may hold are brought up to date in place, not exchanged.
    """
    raw = encode(stored)
    fresh = hydrator(type(document)).fresh(stored)
    set_baseline(document, raw)
    set_attempts(document, ())
    adopt(document, fresh, list(type(document).model_fields))
    document.__pydantic_fields_set__.update(fresh.__pydantic_fields_set__)


def adopt(model: BaseModel, fresh: BaseModel, names: Sequence[str]) -> None:
    """Give an object the values that another one has; nested objects are changed in place."""
    for name in names:
        mine, theirs = values_of(model).get(name), values_of(fresh).get(name)
        if mine is theirs or (type(mine) is type(theirs) and mine == theirs):
            continue
        if isinstance(mine, BaseModel) and isinstance(theirs, type(mine)) and _is_open(mine):
            adopt(mine, theirs, list(type(mine).model_fields))
        else:
            values_of(model)[name] = theirs
    if model.__pydantic_extra__ != fresh.__pydantic_extra__:
        object.__setattr__(model, "__pydantic_extra__", fresh.__pydantic_extra__)


def _is_open(model: BaseModel) -> bool:
    return not model.model_config.get("frozen") and not model.__pydantic_root_model__
