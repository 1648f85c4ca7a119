"""Arrow types from the values themselves, where no model says them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from bson import ObjectId
from bson.decimal128 import Decimal128

from ..type_guards import is_dict, is_list
from .arrow_types import OBJECT_ID_TYPE, TIMESTAMP, pa

# Of Decimal128's 34 digits, 20 before the point and 18 behind it.
DECIMAL: Any = pa.decimal128(38, 18)


def infer_schema(documents: Iterable[Mapping[str, Any]]) -> Any:
    """Return the schema of documents: for each name the type that holds its values without loss.

    Where there is no such type the first value's is taken, and the others are found to misfit.
    """
    return pa.schema(list(_type_of_documents(documents)))


def _type_of_documents(documents: Iterable[Mapping[str, Any]]) -> Any:
    types: dict[str, Any] = {}
    for document in documents:
        for name, value in document.items():
            known = types.get(name)
            if known is None or value is not None:
                own = _type_of(value)
                types[name] = own if known is None or known == own else promote(known, own)
    return pa.struct(list(types.items()))


def _type_of(value: Any) -> Any:
    if is_dict(value):
        return _type_of_documents((value,))
    if is_list(value):
        return pa.list_(_type_of_items(value))
    for kind, type_ in _TYPES:
        if isinstance(value, kind):
            return type_
    return pa.null()


def _type_of_items(items: Sequence[Any]) -> Any:
    type_ = pa.null()
    for item in items:
        own = _type_of(item)
        if own != type_:
            type_ = promote(type_, own)
    return type_


_TYPES: tuple[tuple[Any, Any], ...] = (
    (bool, pa.bool_()),
    (int, pa.int64()),
    (float, pa.float64()),
    (str, pa.string()),
    (ObjectId, OBJECT_ID_TYPE),
    (UUID, pa.uuid()),
    (bytes, pa.binary()),
    (dt.datetime, TIMESTAMP),
    (Decimal128, DECIMAL),
)


def promote(first: Any, second: Any) -> Any:
    """Return the type that holds the values of two; the first if there is none."""
    is_ = pa.types
    if first == second or is_.is_null(second):
        return first
    if is_.is_null(first):
        return second
    if (first, second) in ((pa.int64(), pa.float64()), (pa.float64(), pa.int64())):
        return pa.float64()
    if is_.is_list(first) and is_.is_list(second):
        return pa.list_(promote(first.value_type, second.value_type))
    if is_.is_struct(first) and is_.is_struct(second):
        fields = {field.name: field.type for field in first}
        for field in second:
            known = fields.get(field.name)
            fields[field.name] = field.type if known is None else promote(known, field.type)
        return pa.struct(list(fields.items()))
    return first


def fill(declared: Any, current: Any, found: Any) -> Any:
    """Return a type with what was left open in its declaration grown to hold what was found.

    Parameters:
        declared: The type as it was given; null where it is open.
        current: The type so far.
        found: The type of further values.
    """
    is_ = pa.types
    if is_.is_null(declared):
        return promote(current, found)
    if is_.is_struct(declared) and is_.is_struct(found):
        theirs = {field.name: field.type for field in found}
        return pa.struct(
            [
                (own.name, fill(own.type, now.type, theirs.get(own.name, pa.null())))
                for own, now in zip(declared, current, strict=True)
            ]
        )
    if is_.is_list(declared) and is_.is_list(found):
        return pa.list_(fill(declared.value_type, current.value_type, found.value_type))
    if is_.is_map(declared) and is_.is_struct(found):
        item = pa.null()
        for field in found:
            item = promote(item, field.type)
        return pa.map_(pa.string(), fill(declared.item_type, current.item_type, item))
    return current


def is_open(type_: Any) -> bool:
    """Say whether a type leaves something to be found."""
    is_ = pa.types
    if is_.is_struct(type_):
        return any(is_open(field.type) for field in type_)
    if is_.is_list(type_):
        return is_open(type_.value_type)
    if is_.is_map(type_):
        return is_open(type_.item_type)
    return bool(is_.is_null(type_))
