"""Single Python values to BSON and back, by the class that a value has at run time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import time
from enum import Enum
from typing import Any, NoReturn, cast

from bson import Int64
from bson.decimal128 import Decimal128
from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

from ..bson_codec import BSON_LIMITS, UNENCODABLE, encode_bson, encoding_reason
from ..errors import EncodingError
from ..type_guards import is_dict, is_list
from .equality import is_same
from .numpy_scalars import to_python
from .registry import TYPES, entry_of
from .stored_type import Kind, StoredType


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
    plain = to_python(value)
    if plain is not value:
        return to_bson(plain)
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
    """Return the text of a dict's key in a BSON document, by the class of the key.

    Raises:
        EncodingError: Keys of this class have no text.
    """
    if type(key) is str:
        return key
    if isinstance(key, Enum):
        return key_to_bson(key.value)
    if isinstance(key, tuple | frozenset):
        items = [key_to_bson(item) for item in cast("Iterable[Any]", key)]
        return json.dumps(sorted(items) if isinstance(key, frozenset) else items)
    entry = _EXACT.get(type(key)) or entry_of(type(key))
    return str(key) if entry is None else entry.key(key)


def mapping_to_bson(
    value: Mapping[Any, Any],
    encode_key: Callable[[Any], str],
    encode: Callable[[Any], Any] | None,
) -> dict[str, Any]:
    """Return the document of a dict.

    Parameters:
        value: The dict.
        encode_key: Returns the text of a key.
        encode: Returns the stored form of a value; None if that is the value itself.

    Raises:
        EncodingError: Two keys have the same text.
    """
    if encode is None:
        document = {encode_key(key): item for key, item in value.items()}
    else:
        document = {encode_key(key): encode(item) for key, item in value.items()}
    if len(document) < len(value):
        texts = [encode_key(key) for key in value]
        text = next(text for text in texts if texts.count(text) > 1)
        same = [key for key in value if encode_key(key) == text]
        raise EncodingError(
            f"the keys {' and '.join(map(repr, same))} would both be stored as {text!r}",
            path="",
            hint="a key of a document is a string: use keys of one type",
        )
    return document


def is_ordered_value(value: Any) -> bool:
    """Say whether MongoDB orders a value among others of its class as Python does."""
    if value is None:
        return True  # MongoDB's own rules hold for null
    if isinstance(value, Enum):
        return is_ordered_enum(type(value))
    if isinstance(value, time):
        return value.tzinfo is None  # the text begins with the hour at that place
    kind: type[Any] = type(value)  # pyright: ignore[reportUnknownVariableType]
    entry = entry_of(kind)
    return entry is None or entry.kind not in (Kind.SCALAR, Kind.TEXT) or entry.is_ordered


# The methods by which enums of numbers and strings compare, as MongoDB compares their values.
_ORDERS = (int.__lt__, str.__lt__, float.__lt__)


def is_ordered_enum(enum: type[Enum]) -> bool:
    """Say whether Python orders the members of an Enum as MongoDB orders their values."""
    return getattr(enum, "__lt__", None) in _ORDERS


def to_json_form(value: Any) -> Any:
    """Return what pydantic writes to JSON for a value of a type that BSON lacks.

    Raises:
        EncodingError: pydantic cannot write it, or would read it as another value.
    """
    if hasattr(value, "get_secret_value"):
        return to_bson(value.get_secret_value())
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(cast("Any", type(value)))
        form = adapter.dump_python(value, mode="json", round_trip=True)
        loaded = adapter.validate_python(form, strict=False)
    except (PydanticSerializationError, TypeError, ValueError):
        raise _no_form(value) from None
    except Exception as error:  # pydantic's schema errors have no public base class
        if type(error).__module__.startswith("pydantic"):
            raise _no_form(value) from None
        raise
    return form if is_same(loaded, value) else refuse(loaded, value)


def refuse(loaded: Any, value: Any) -> NoReturn:
    """Raise `EncodingError` for a value that would load as another one."""
    raise EncodingError(
        f"{value!r} would load as {loaded!r}",
        path="",
        hint="choose a stored form: Annotated[…, lm.StoredAs(str, encode=…, decode=…)]",
    )


def _no_form(value: object) -> EncodingError:
    return EncodingError(
        f"BSON has no form for a {type(value).__name__}",
        path="",
        hint="choose a stored form: Annotated[…, lm.StoredAs(str, encode=…, decode=…)]",
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
    return mapping_to_bson(value, key_to_bson, to_bson)


def _array(value: Any) -> list[Any]:
    return [to_bson(item) for item in value]


def _set(value: Any) -> list[Any]:
    return in_stored_order(to_bson(item) for item in value)


_BY_KIND: dict[Kind, Callable[[Any], Any]] = {
    Kind.ENUM: lambda value: to_bson(value.value),
    Kind.ARRAY: _array,
    Kind.SET: _set,
    Kind.MAPPING: _mapping,
}


def set_encoder(kind: Kind, encode: Callable[[Any], Any]) -> None:
    """Set the function that encodes models or records; their codecs are built on this module."""
    _BY_KIND[kind] = encode


def _converter(entry: StoredType) -> Callable[[Any], Any]:
    if entry.kind in (Kind.SCALAR, Kind.TEXT):
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
