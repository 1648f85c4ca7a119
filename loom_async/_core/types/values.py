"""Single Python values to BSON's types and back, chosen by what a value is at run time."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, DecimalException
from enum import Enum
from typing import Any, cast
from uuid import UUID

from bson.decimal128 import Decimal128
from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

from ..bson_codec import BSON_LIMITS, UNENCODABLE, encode_bson, encoding_reason, utc_milliseconds
from ..errors import EncodingError
from ..type_guards import is_dict, is_list

UTC = dt.UTC
_MIDNIGHT = dt.time(tzinfo=UTC)


def teach(kind: type, convert: Callable[[Any], Any]) -> None:
    """Have `to_bson` convert every instance of a class by a function, before all other classes."""
    _BY_BASE.insert(0, (kind, convert))


def to_bson(value: Any) -> Any:
    """Return the form of any supported value that BSON can hold, exactly.

    Parameters:
        value: A Python value; containers are converted with all they hold.

    Raises:
        EncodingError: BSON has no form for the value.

    Example:
        >>> from decimal import Decimal
        >>> to_bson({"price": Decimal("1.50")})
        {'price': Decimal128('1.50')}
    """
    converter = _CONVERTERS.get(type(value))  # pyright: ignore[reportUnknownArgumentType]
    if converter is not None:
        return converter(value)
    for kind, convert in _BY_BASE:
        if isinstance(value, kind):
            return convert(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_bson(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if type(value).__module__.partition(".")[0] == "bson":
        return value
    return to_json_form(value)


def date_to_bson(value: dt.date) -> dt.datetime:
    """Return midnight UTC of a date: BSON has no date without a time."""
    return dt.datetime.combine(value, _MIDNIGHT)


def decimal_to_bson(value: Decimal) -> Decimal128:
    """Return a Decimal128 of the same value, digits and exponent."""
    try:
        return Decimal128(value)
    except DecimalException:
        raise EncodingError(
            f"{value!r} has more than the 34 significant digits that Decimal128 holds",
            path="",
            hint="round it first",
        ) from None


def key_to_bson(key: object) -> str:
    """Return the string that stands for a dict's key in a BSON document."""
    if type(key) is str:
        return key
    if isinstance(key, Enum):
        return key_to_bson(key.value)
    if isinstance(key, dt.datetime | dt.date | dt.time):
        return key.isoformat()
    return str(key)


def to_json_form(value: Any) -> Any:
    """Return what pydantic would write to JSON, for types that BSON does not have."""
    if hasattr(value, "get_secret_value"):
        return to_bson(value.get_secret_value())
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(cast("Any", type(value)))
        return adapter.dump_python(value, mode="json", round_trip=True)
    except (PydanticSerializationError, TypeError, ValueError):
        raise _no_form(value) from None
    except Exception as error:  # pydantic's schema errors share no public base
        if type(error).__module__.startswith("pydantic"):
            raise _no_form(value) from None
        raise


def _no_form(value: object) -> EncodingError:
    return EncodingError(
        f"BSON has no form for a {type(value).__name__}",
        path="",
        hint="annotate the field with a type that pydantic can write to JSON",
    )


def from_bson(value: Any) -> Any:
    """Return a stored value in Python's own types, in containers of its own.

    The containers are new ones, so that editing the result never edits the stored original.
    """
    if is_dict(value):
        return {key: from_bson(item) for key, item in value.items()}
    if is_list(value):
        return [from_bson(item) for item in value]
    if type(value) is Decimal128:
        return value.to_decimal()
    return value


def _mapping_to_bson(value: Mapping[Any, Any]) -> dict[str, Any]:
    return {key_to_bson(key): to_bson(item) for key, item in value.items()}


def _sequence_to_bson(value: Any) -> list[Any]:
    return [to_bson(item) for item in value]


def in_stored_order(items: Iterable[Any]) -> list[Any]:
    """Return the encoded items of a set in an order that depends on nothing but the items.

    Raises:
        EncodingError: BSON does not have one of them.
    """
    try:
        return sorted(items, key=lambda item: encode_bson({"": item}))
    except UNENCODABLE as error:
        raise EncodingError(encoding_reason(error), path="", hint=BSON_LIMITS) from error


def _set_to_bson(value: Any) -> list[Any]:
    return in_stored_order(to_bson(item) for item in value)


def _same(value: Any) -> Any:
    return value


_CONVERTERS: dict[type, Callable[[Any], Any]] = {
    **dict.fromkeys((str, int, float, bool, bytes, UUID, re.Pattern, type(None)), _same),
    dt.datetime: utc_milliseconds,
    dt.date: date_to_bson,
    Decimal: decimal_to_bson,
    dict: _mapping_to_bson,
    list: _sequence_to_bson,
    tuple: _sequence_to_bson,
    set: _set_to_bson,
    frozenset: _set_to_bson,
    deque: _sequence_to_bson,
    bytearray: bytes,
}
# Subclasses, in the order in which they are asked: an Enum may also be a str or an int.
_BY_BASE: list[tuple[Any, Callable[[Any], Any]]] = [
    (Enum, lambda value: to_bson(value.value)),
    (dt.datetime, utc_milliseconds),
    (dt.date, date_to_bson),
    (Decimal, decimal_to_bson),
    ((bool, int, float, str, bytes), _same),
    (Mapping, _mapping_to_bson),
    ((set, frozenset), _set_to_bson),
    ((list, tuple, deque), _sequence_to_bson),
]
