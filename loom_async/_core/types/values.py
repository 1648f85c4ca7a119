"""Single Python values to BSON and back, by the class that a value has at run time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, cast

from bson import Int64
from bson.decimal128 import Decimal128
from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

from ..bson_codec import BSON_LIMITS, UNENCODABLE, encode_bson, encoding_reason
from ..errors import EncodingError
from ..type_guards import is_dict, is_list
from .registry import TYPES, Kind, StoredType, entry_of


def to_bson(value: Any) -> Any:
    """Return the exact BSON form of a value.

    Parameters:
        value: A Python value; containers are converted with all they hold.

    Raises:
        EncodingError: BSON has no form for the value.

    Example:
        >>> from decimal import Decimal
        >>> to_bson({"price": Decimal("1.50")})
        {'price': Decimal128('1.50')}
    """
    kind: type[Any] = type(value)  # pyright: ignore[reportUnknownVariableType]
    convert = _CONVERTERS.get(kind)
    if convert is not None:
        return convert(value)
    entry = entry_of(kind)
    if entry is not None:
        return _converter(entry)(value)
    if kind.__module__.partition(".")[0] == "bson":
        return value
    return to_json_form(value)


def bson_type_of(value: Any) -> str | None:
    """Return MongoDB's name of the BSON type of a stored value; None if BSON does not have it."""
    kind: type[Any] = type(value)  # pyright: ignore[reportUnknownVariableType]
    entry = _EXACT.get(kind) or entry_of(kind)
    if entry is None or not entry.bson:
        return None
    first, *others = entry.bson
    if first == "int" and (kind is Int64 or not -(2**31) <= value < 2**31):
        return "long"
    return others[0] if first == "javascript" and value.scope is not None else first


def from_bson(value: Any) -> Any:
    """Return a stored value as Python's own types.

    The containers are new ones, so that editing the result does not edit the stored value.
    """
    if is_dict(value):
        return {key: from_bson(item) for key, item in value.items()}
    if is_list(value):
        return [from_bson(item) for item in value]
    if type(value) is Decimal128:
        return value.to_decimal()
    return value


def key_to_bson(key: object) -> str:
    """Return the text of a dict's key in a BSON document."""
    if type(key) is str:
        return key
    if isinstance(key, Enum):
        return key_to_bson(key.value)
    entry = _EXACT.get(type(key)) or entry_of(type(key))
    return str(key) if entry is None else entry.key(key)


def to_json_form(value: Any) -> Any:
    """Return what pydantic writes to JSON for a value of a type that BSON lacks.

    Raises:
        EncodingError: pydantic cannot write it either.
    """
    if hasattr(value, "get_secret_value"):
        return to_bson(value.get_secret_value())
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(cast("Any", type(value)))
        return adapter.dump_python(value, mode="json", round_trip=True)
    except (PydanticSerializationError, TypeError, ValueError):
        raise _no_form(value) from None
    except Exception as error:  # pydantic's schema errors have no public base class
        if type(error).__module__.startswith("pydantic"):
            raise _no_form(value) from None
        raise


def _no_form(value: object) -> EncodingError:
    return EncodingError(
        f"BSON has no form for a {type(value).__name__}",
        path="",
        hint="annotate the field with a type that pydantic can write to JSON",
    )


def in_stored_order(items: Iterable[Any]) -> list[Any]:
    """Return the encoded items of a set in an order that depends on the items alone.

    Raises:
        EncodingError: BSON does not have one of them.
    """
    try:
        return sorted(items, key=lambda item: encode_bson({"": item}))
    except UNENCODABLE as error:
        raise EncodingError(encoding_reason(error), path="", hint=BSON_LIMITS) from error


def _unchanged(value: Any) -> Any:
    return value


def _mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    return {key_to_bson(key): to_bson(item) for key, item in value.items()}


def _array(value: Any) -> list[Any]:
    return [to_bson(item) for item in value]


def _set(value: Any) -> list[Any]:
    return in_stored_order(to_bson(item) for item in value)


def _record(value: Any) -> Any:
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return to_json_form(value)
    return {f.name: to_bson(getattr(value, f.name)) for f in dataclasses.fields(value)}


_BY_KIND: dict[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: to_json_form,
    Kind.ENUM: lambda value: to_bson(value.value),
    Kind.ARRAY: _array,
    Kind.SET: _set,
    Kind.MAPPING: _mapping,
    Kind.RECORD: _record,
}


def set_model_encoder(encode: Callable[[Any], Any]) -> None:
    """Set the function that encodes pydantic models; their codecs are built on this module."""
    _BY_KIND[Kind.MODEL] = encode


def _converter(entry: StoredType) -> Callable[[Any], Any]:
    if entry.kind is Kind.SCALAR:
        return entry.encode or _unchanged
    return _BY_KIND[entry.kind]


_EXACT: dict[type, StoredType] = {
    kind: entry
    for entry in TYPES
    if entry.kind not in (Kind.MODEL, Kind.ENUM)
    for kind in entry.classes
}
_CONVERTERS: dict[type, Callable[[Any], Any]] = {
    kind: _converter(entry) for kind, entry in _EXACT.items()
}
