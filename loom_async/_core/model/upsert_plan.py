"""The upsert of a new object by its natural key: it updates the document of the key, or inserts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from bson import Regex

from ..errors import EncodingError, QueryError
from ..server_codes import DUPLICATE_KEY
from ..type_guards import is_mapping
from ..types.scalars import CounterCodec
from .auto_fields import insertion_auto_values
from .bson_equality import MISSING, same
from .codecs import model_codec
from .defaults import encoded_default
from .diff import is_number
from .document import DocumentModel, baseline
from .document_encoding import encode_document
from .identity import checked_id, id_filter
from .model_codec import ModelCodec, StoredField
from .polymorphism import scope_of
from .update_document import is_dotted
from .write_attempt import Modification, Upsert, WritePlan
from .write_plan import plan_persist
from .write_validation import replace_coerced

# A long $or takes the server a time that grows faster than its length.
_CLAUSES = 500

Planner: TypeAlias = Callable[[DocumentModel, datetime], "WritePlan | Upsert | None"]


def upsert_planner(names: Sequence[str]) -> Planner:
    """Return what plans the write of an object: a new one is matched, a loaded one is known.

    Parameters:
        names: The stored names of the fields of the natural key.
    """

    def plan(document: DocumentModel, now: datetime) -> WritePlan | Upsert | None:
        if baseline(document) is not None:
            return plan_persist(document, now)
        return plan_upsert(document, names, now)

    return plan


def plan_upsert(document: DocumentModel, names: Sequence[str], now: datetime) -> Upsert:
    """Return the upsert of a new object.

    It sets the fields that the object sets, adds counters, and gives a new document all others.

    Parameters:
        document: A new object; it is not changed.
        names: The stored names of the fields of the natural key.
        now: The time of the operation.

    Raises:
        EncodingError: A value cannot be stored; `path` says where it is.
        QueryError: A value of the key is None.
    """
    model = type(document)
    codec = model_codec(model)
    encoded = codec.encode(document)
    _check_key(codec, {name: encoded[name] for name in names})
    coerced = replace_coerced(document, encoded)
    auto_values = tuple(insertion_auto_values(codec, encoded, now))
    key = codec.thin({name: encoded[name] for name in names})
    own_id = checked_id(model, encoded["_id"])
    expected = encode_document(codec.thin(encoded))
    change = Modification(
        id=own_id,
        update=_update(codec, document, encoded, key),
        edits=(),
        after=encoded,
        auto_values=auto_values,
        revision={},
        condition={},
        expected=expected,
        size=len(expected),
        coerced=coerced,
    )
    query = {name: {"$eq": value} for name, value in key.items()}
    if "_id" in key:
        query |= id_filter(own_id)
    return Upsert({**query, **scope_of(model)}, key, change)


def _check_key(codec: ModelCodec, key: Mapping[str, Any]) -> None:
    for field in codec.fields:
        if field.stored_name in key and key[field.stored_name] is None:
            raise QueryError(
                f"its {field.name} is None, by which no document can be matched",
                hint="persist() stores an object without a natural key",
            )


def _update(
    codec: ModelCodec, document: DocumentModel, encoded: Mapping[str, Any], key: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the update of a stored document, and what a new one needs besides."""
    set_: dict[str, Any] = {}
    add: dict[str, Any] = {}
    on_insert: dict[str, Any] = {}
    fields = {field.stored_name: field for field in codec.fields}
    for name, value in encoded.items():
        if name in key:
            continue
        if not is_dotted((name,)):
            raise EncodingError("an update cannot name this field", path=name)
        field = fields.get(name)
        if field is None:
            is_extra = name in (document.__pydantic_extra__ or {})
            (set_ if is_extra else on_insert)[name] = value
        elif field.is_revision:
            add[name] = 1
        elif field.on_write:
            set_[name] = value
        elif name == "_id" or field.on_insert or not _is_set(document, field, value):
            on_insert[name] = value
        elif isinstance(field.codec, CounterCodec) and is_number(value):
            add[name] = value
        else:
            set_[name] = value
    on_insert = codec.thin(on_insert)
    # An update without operators would replace the document.
    update = {"$inc": add, "$setOnInsert": on_insert or {"_id": encoded["_id"]}}
    update = codec.setting(set_) | update
    return {operator: operands for operator, operands in update.items() if operands}


def _is_set(document: DocumentModel, field: StoredField, value: Any) -> bool:
    """Say whether an object sets a field: it was given or assigned, or edited in place."""
    if field.name in document.__pydantic_fields_set__:
        return True
    if field.codec.is_scalar:
        return False
    default = encoded_default(type(document), field)
    return default is not MISSING and not same(default, value)


def is_lost_race(plan: WritePlan | Upsert, error: Mapping[str, Any]) -> bool:
    """Say whether an upsert failed since another writer inserted the document of its key.

    Parameters:
        plan: What was sent.
        error: The server's error for this statement.
    """
    if not isinstance(plan, Upsert) or error.get("code") != DUPLICATE_KEY:
        return False
    taken: Mapping[str, Any] = error.get("keyValue") or {}
    return taken.keys() == plan.key.keys() and all(
        same(plan.key[name], value) for name, value in taken.items()
    )


def joint_filters(plans: Sequence[Upsert]) -> Iterator[dict[str, Any]]:
    """Yield filters for the documents of several upserts of one key."""
    names = list(plans[0].key)
    values = [plan.key[names[0]] for plan in plans]
    if len(names) == 1 and not any(map(_is_misread, values)):
        yield {names[0]: {"$in": values}}
        return
    for start in range(0, len(plans), _CLAUSES):
        yield {"$or": [dict(plan.query) for plan in plans[start : start + _CLAUSES]]}


def _is_misread(value: Any) -> bool:
    return is_mapping(value) or isinstance(value, re.Pattern | Regex)
