"""Arrow types inferred from values, where no model or schema declares them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bson.decimal128 import Decimal128

from ..type_guards import is_dict, is_list
from ..types.registry import TYPES, entry_of
from .arrow_types import TYPES_BY_NAME, pa

# Decimal128 has up to 34 digits. This type has 20 before the decimal point and 18 after it.
DECIMAL: Any = pa.decimal128(38, 18)


def infer_schema(documents: Iterable[Mapping[str, Any]]) -> Any:
    """Return a schema that holds the values of documents without loss.

    A field whose values have no common type gets the type of its first value; the others are
    mismatches.
    """
    return pa.schema(list(_type_of_documents(documents)))


def _type_of_documents(documents: Iterable[Mapping[str, Any]]) -> Any:
    types: dict[str, Any] = {}
    for document in documents:
        for name, value in document.items():
            known = types.get(name)
            if known is None or value is not None:
                found = _type_of(value)
                types[name] = found if known is None or known == found else promote(known, found)
    return pa.struct(list(types.items()))


def _type_of(value: Any) -> Any:
    if is_dict(value):
        return _type_of_documents((value,))
    if is_list(value):
        return pa.list_(_type_of_items(value))
    class_: type[Any] = type(value)  # pyright: ignore[reportUnknownVariableType]
    type_ = _TYPES.get(class_)
    if type_ is None:  # a subclass, such as Int64 and Binary, or a type without an Arrow type
        entry = entry_of(class_)
        type_ = TYPES_BY_NAME.get(entry.arrow or "") if entry is not None else None
    return pa.null() if type_ is None else type_


def _type_of_items(items: Sequence[Any]) -> Any:
    type_ = pa.null()
    for item in items:
        found = _type_of(item)
        if found != type_:
            type_ = promote(type_, found)
    return type_


_TYPES: dict[type, Any] = {
    class_: TYPES_BY_NAME[entry.arrow]
    for entry in TYPES
    if entry.arrow in TYPES_BY_NAME
    for class_ in entry.classes
}
_TYPES[Decimal128] = DECIMAL


def promote(first: Any, second: Any) -> Any:
    """Return the type that holds the values of both types; the first if there is none."""
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


def extend(declared: Any, current: Any, found: Any) -> Any:
    """Return a type whose undeclared parts hold further values too.

    Parameters:
        declared: The type as it was declared, with null for what was left to inference.
        current: The type inferred so far.
        found: The type of the further values.
    """
    is_ = pa.types
    if is_.is_null(declared):
        return promote(current, found)
    if is_.is_struct(declared) and is_.is_struct(found):
        found_fields = {field.name: field.type for field in found}
        return pa.struct(
            [
                (field.name, extend(field.type, now.type, found_fields.get(field.name, pa.null())))
                for field, now in zip(declared, current, strict=True)
            ]
        )
    if is_.is_list(declared) and is_.is_list(found):
        return pa.list_(extend(declared.value_type, current.value_type, found.value_type))
    if is_.is_map(declared) and is_.is_struct(found):
        item = pa.null()
        for field in found:
            item = promote(item, field.type)
        return pa.map_(pa.string(), extend(declared.item_type, current.item_type, item))
    return current


def needs_inference(declared: Any) -> bool:
    """Return whether a declared type leaves a part to inference."""
    is_ = pa.types
    if is_.is_struct(declared):
        return any(needs_inference(field.type) for field in declared)
    if is_.is_list(declared):
        return needs_inference(declared.value_type)
    if is_.is_map(declared):
        return needs_inference(declared.item_type)
    return bool(is_.is_null(declared))
