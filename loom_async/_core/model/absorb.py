"""Updates objects to agree with their stored documents after a write or a reload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..bson_codec import decode_bson, encode_bson
from ..errors import InvalidDocument
from ..types.codec import ANY
from ..types.scalars import ScalarCodec
from .bson_equality import MISSING, same
from .codecs import model_codec
from .document import DocumentModel, attempts_of, set_attempts, set_baseline
from .hydration import hydrator
from .in_place import adopt
from .model_codec import ModelCodec, StoredField
from .normal_values import is_normal
from .three_way_merge import merged
from .write_attempt import Insertion, Modification, WriteAttempt


def absorb_insertion(document: DocumentModel, insertion: Insertion) -> None:
    """Make an object agree with the document that was just stored for it."""
    if insertion.auto_values:
        vars(document).update(insertion.auto_values)
    set_baseline(document, insertion.raw)
    if any(attempt.is_abandoned for attempt in attempts_of(document)):
        set_attempts(document, (WriteAttempt(insertion, is_unreported=True),))
    else:
        set_attempts(document, ())
    if insertion.coerced or not insertion.is_as_loaded:
        _normalise(model_codec(type(document)), document, insertion)


def _normalise(codec: ModelCodec, document: DocumentModel, insertion: Insertion) -> None:
    """Give an object the stored form of values that BSON holds with less precision.

    It also gets the values that validation has changed.
    """
    coerced = insertion.coerced
    values, containers = vars(document), list[StoredField]()
    for field in codec.fields:
        value = values[field.name]
        if field.stored_name in coerced:
            containers.append(field)
        elif not field.codec.normalises or value is None:
            continue
        elif type(field.codec) is ScalarCodec:
            values[field.name] = field.codec.decode(field.codec.encode(value))
        elif not is_normal(field.codec, value):
            containers.append(field)
    if containers:
        stored = decode_bson(insertion.raw)
        sent = {**stored, **coerced}
        fresh = hydrator(type(document)).fresh(stored)
        unedited = [
            field.name
            for field in containers
            if _is_stored_as(codec, field, values[field.name], sent.get(field.stored_name))
        ]
        if not same(_undeclared(codec, codec.encode(document)), _undeclared(codec, stored)):
            # Extra fields were edited while the insertion was under way.
            object.__setattr__(fresh, "__pydantic_extra__", document.__pydantic_extra__)
        adopt(document, fresh, unedited, is_aligned=True)


def _undeclared(codec: ModelCodec, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a document that the model does not declare."""
    declared = codec.stored_names
    return {name: value for name, value in document.items() if name not in declared}


def absorb_modification(document: DocumentModel, plan: Modification, raw: bytes) -> None:
    """Make an object agree with the reply to its update, except for edits since it was sent.

    Parameters:
        document: The object.
        plan: What was sent.
        raw: The document as the server had it after the update.
    """
    codec = model_codec(type(document))
    vars(document).update(plan.auto_values)
    set_baseline(document, raw)
    set_attempts(document, ())
    sent = {**plan.after, **plan.coerced} if plan.coerced else plan.after
    _normalise_scalars(codec, document, sent)
    # Most replies hold what was sent. To compare the bytes takes far less time than every field.
    is_as_sent = raw == plan.expected
    edited = {edit.path[0] for edit in plan.edits}
    values = vars(document)
    sought = [
        field
        for field in codec.fields
        if field.stored_name in plan.coerced
        or (field.stored_name in edited and not is_normal(field.codec, values[field.name]))
    ]
    has_edited_extra = document.__pydantic_extra__ and not codec.stored_names.issuperset(edited)
    if is_as_sent and not sought and not has_edited_extra:
        return
    stored = decode_bson(raw)
    changed = [] if is_as_sent else _changed(codec, decode_bson(plan.expected), stored)
    if not (changed or sought or codec.allows_extra):
        return
    sought += [field for field in changed if field not in sought]
    names, present = _with_edits(codec, document, sent, stored, sought, changed)
    try:
        fresh = hydrator(type(document)).fresh(present)
    except InvalidDocument:
        # An edit since then does not fit the model. The edited fields keep the object's values.
        invalid = _edited_fields(codec, document, sent)
        for field in invalid:
            present.pop(field.stored_name, None)
            if field.stored_name in stored:
                present[field.stored_name] = stored[field.stored_name]
        fresh = hydrator(type(document)).fresh(present)
        names = [name for name in names if name not in {field.name for field in invalid}]
    adopt(document, fresh, names, is_aligned=is_as_sent)


def _changed(
    codec: ModelCodec, expected: Mapping[str, Any], stored: Mapping[str, Any]
) -> list[StoredField]:
    """Return the fields in which a stored document is not as expected."""
    return [
        field
        for field in codec.fields
        if not same(
            stored.get(field.stored_name, MISSING), expected.get(field.stored_name, MISSING)
        )
    ]


def _edited_fields(
    codec: ModelCodec, document: DocumentModel, sent: Mapping[str, Any]
) -> list[StoredField]:
    """Return the fields that were edited since an object was encoded."""
    values = vars(document)
    return [
        field
        for field in codec.fields
        if not _is_stored_as(codec, field, values[field.name], sent[field.stored_name])
    ]


def _is_stored_as(codec: ModelCodec, field: StoredField, value: Any, stored: Any) -> bool:
    """Say whether a value of a field has a stored form."""
    encoded, stored = (_thin(codec, field, one) for one in (field.codec.encode(value), stored))
    return same(encoded, stored) or same(field.codec.keep_stored(stored, encoded), stored)


def _thin(codec: ModelCodec, field: StoredField, value: Any) -> Any:
    """Return a value of a field with the null fields inside it left out, if the model says so."""
    inner = field.codec.sparse if codec.is_sparse else None
    return value if inner is None or value is MISSING else inner.thin(value)


def _normalise_scalars(codec: ModelCodec, document: DocumentModel, sent: Mapping[str, Any]) -> None:
    """Give an object the stored form of its scalars, except for edits since they were sent."""
    values = vars(document)
    for field in codec.fields if codec.normalises else ():
        value = values[field.name]
        if value is None or not field.codec.normalises or type(field.codec) is not ScalarCodec:
            continue
        encoded = field.codec.encode(value)
        loaded = field.codec.decode(encoded)
        if loaded != value and same(encoded, sent[field.stored_name]):
            values[field.name] = loaded


def _with_edits(
    codec: ModelCodec,
    document: DocumentModel,
    sent: Mapping[str, Any],
    stored: dict[str, Any],
    sought: Sequence[StoredField],
    changed: Sequence[StoredField],
) -> tuple[list[str], dict[str, Any]]:
    """Return the fields that a reply changes, and the stored document with the edits since.

    Parameters:
        codec: The codec of the model.
        document: The object.
        sent: What the object encoded to when its update was sent.
        stored: The document after the update.
        sought: The fields that may have to be changed in the object.
        changed: Those of them that another writer has changed.
    """
    present, names = dict(stored), list[str]()
    for field in sought:
        name = field.stored_name
        mine = field.codec.encode(vars(document)[field.name])
        sides = sent[name], mine, present.get(name, MISSING)
        was, mine, there = (_thin(codec, field, side) for side in sides)
        value = merged(field.codec, was, mine, there)
        if value is MISSING:
            present.pop(name, None)
        else:
            present[name] = value
        if field in changed or same(mine, was):
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
    mine, was, there = (_undeclared(codec, side) for side in (codec.encode(document), sent, stored))
    result = merged(ANY, was, mine, there)
    for name in there.keys() - result.keys():
        del present[name]
    present.update(result)


def absorb_document(document: DocumentModel, stored: dict[str, Any]) -> None:
    """Make an object agree with its stored document, without the edits since it was loaded.

    Nested objects are changed in place, not replaced: the caller may hold them.
    """
    raw = encode_bson(stored)
    fresh = hydrator(type(document)).fresh(stored)
    set_baseline(document, raw)
    set_attempts(document, ())
    adopt(document, fresh, list(type(document).model_fields))
    document.__pydantic_fields_set__.update(fresh.__pydantic_fields_set__)
