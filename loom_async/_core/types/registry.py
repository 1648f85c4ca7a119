"""One entry for each Python type: how it is stored, ordered, and shown in tables and validators.

Codecs, Arrow schemas and `$jsonSchema` find the entry of an annotation's class here. A type without
an entry is stored as pydantic writes it to JSON.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections import deque
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import is_dataclass
from decimal import Decimal, DecimalException
from enum import Enum, auto
from pathlib import PurePath
from types import NoneType
from typing import Any, NamedTuple, cast
from uuid import UUID

from bson import Code, Decimal128, MaxKey, MinKey, ObjectId, Regex, Timestamp
from pydantic import AnyUrl, BaseModel, SecretBytes, SecretStr
from typing_extensions import is_typeddict

from ..bson_codec import utc_milliseconds
from ..errors import EncodingError

_MIDNIGHT = dt.time(tzinfo=dt.UTC)


class Kind(Enum):
    """What a value of a type consists of."""

    SCALAR = auto()
    #: A scalar of a type that BSON lacks, stored as the text that pydantic writes to JSON.
    TEXT = auto()
    ENUM = auto()
    ARRAY = auto()
    SET = auto()
    MAPPING = auto()
    RECORD = auto()
    MODEL = auto()


class StoredType(NamedTuple):
    """All that Loom knows of one Python type, or of a few that are stored alike.

    Parameters:
        classes: The classes; subclasses are stored like them.
        bson: The BSON types of the stored values, by MongoDB's names (`$type`).
        stored: How values are stored, for the documentation.
        kind: What a value consists of.
        encode: Returns the stored form of a value; None if that is the value itself.
        decode: Returns what pydantic validates, from a stored value; None if that is the value.
        normalises: Whether a stored value may differ from the value that was encoded.
        is_ordered: Whether MongoDB orders the stored values as Python orders the values.
        arrow: The name of the Arrow type of a column; None if the type is inferred from the data.
        fits_column: Whether an Arrow type holds the values; if not, loading a table refuses them.
        schema: The BSON types that a validator accepts; by default those of `bson`. Empty if a
            validator accepts everything.
        limits: The kind of limits that pydantic's constraints become in a validator; None if they
            cannot be expressed.
        key: Returns the text of a value that is a key of a dict.
    """

    classes: tuple[type, ...]
    bson: tuple[str, ...]
    stored: str
    kind: Kind = Kind.SCALAR
    encode: Callable[[Any], Any] | None = None
    decode: Callable[[Any], Any] | None = None
    normalises: bool = False
    is_ordered: bool = False
    arrow: str | None = None
    fits_column: bool = True
    schema: tuple[str, ...] | None = None
    limits: str | None = None
    key: Callable[[Any], str] = str


def date_to_bson(value: dt.date) -> dt.datetime:
    """Return midnight UTC of a date: BSON has no date without a time."""
    return dt.datetime.combine(value, _MIDNIGHT)


def decimal_to_bson(value: Decimal) -> Decimal128:
    """Return the Decimal128 of the same value, digits and exponent.

    Raises:
        EncodingError: The value has more than 34 significant digits.
    """
    try:
        return Decimal128(value)
    except DecimalException:
        raise EncodingError(
            f"{value!r} has more than the 34 significant digits that Decimal128 holds",
            path="",
            hint="round it first",
        ) from None


def _decimal_from_bson(stored: Any) -> Any:
    return stored.to_decimal() if type(stored) is Decimal128 else stored


def _bytearray_from_bson(stored: Any) -> Any:
    return bytearray(stored) if type(stored) is bytes else stored


def _pattern_from_bson(stored: Any) -> Any:
    return cast("Any", stored).try_compile() if isinstance(stored, Regex) else stored


def _secret(value: SecretStr | SecretBytes) -> str | bytes:
    return value.get_secret_value()


def _isoformat(value: dt.date | dt.time) -> str:
    return value.isoformat()


# Looked up in this order: an Enum may be a str, a bool is an int, a datetime is a date.
TYPES: tuple[StoredType, ...] = (
    StoredType((BaseModel,), ("object",), "document", Kind.MODEL),
    StoredType((Enum,), (), "its value", Kind.ENUM),
    StoredType((bool,), ("bool",), "bool", is_ordered=True, arrow="bool"),
    StoredType(
        (int,),
        ("int", "long"),
        "int or long: integers up to 64 bits",
        is_ordered=True,
        arrow="int64",
        limits="int",
    ),
    StoredType(
        (float,),
        ("double",),
        "double",
        is_ordered=True,
        arrow="float64",
        # Without validation a whole number in a field of floats is stored as an integer.
        schema=("double", "int", "long"),
        limits="float",
    ),
    StoredType(
        (Code,),
        ("javascript", "javascriptWithScope"),
        "JavaScript code",
        arrow="string",
        fits_column=False,
    ),
    StoredType((str,), ("string",), "string", is_ordered=True, arrow="string", limits="string"),
    StoredType((bytes,), ("binData",), "binary", arrow="binary"),
    StoredType(
        (bytearray,),
        ("binData",),
        "binary",
        encode=bytes,
        decode=_bytearray_from_bson,
        arrow="binary",
    ),
    StoredType((UUID,), ("binData",), "binary, subtype 4", is_ordered=True, arrow="uuid"),
    StoredType((NoneType,), ("null",), "null"),
    StoredType((ObjectId,), ("objectId",), "ObjectId", is_ordered=True, arrow="ObjectId"),
    StoredType(
        (dt.datetime,),
        ("date",),
        "date, in UTC, truncated to milliseconds; a naive datetime is taken as UTC",
        encode=utc_milliseconds,
        normalises=True,
        is_ordered=True,
        arrow="timestamp[ms, UTC]",
        key=_isoformat,
    ),
    StoredType(
        (dt.date,),
        ("date",),
        "date, at midnight UTC",
        encode=date_to_bson,
        is_ordered=True,
        arrow="date32",
        key=_isoformat,
    ),
    StoredType(
        (Decimal,),
        ("decimal",),
        "Decimal128 with the same digits, 34 at most",
        encode=decimal_to_bson,
        decode=_decimal_from_bson,
        is_ordered=True,
        arrow="decimal128",
        limits="decimal",
    ),
    StoredType(
        (SecretStr,),
        ("string",),
        "string, the secret in plain text",
        encode=_secret,
        arrow="string",
    ),
    StoredType(
        (SecretBytes,),
        ("binData",),
        "binary, the secret in plain text",
        encode=_secret,
        arrow="binary",
    ),
    StoredType(
        (re.Pattern,),
        ("regex",),
        "regular expression",
        decode=_pattern_from_bson,
        fits_column=False,
    ),
    StoredType(
        (dt.time,),
        ("string",),
        "text in ISO 8601",
        Kind.TEXT,
        arrow="string",
        key=_isoformat,
    ),
    StoredType((dt.timedelta,), ("string",), "text in ISO 8601", Kind.TEXT, arrow="string"),
    StoredType((AnyUrl, PurePath), ("string",), "text", Kind.TEXT),
    StoredType(
        (
            ipaddress.IPv4Address,
            ipaddress.IPv6Address,
            ipaddress.IPv4Network,
            ipaddress.IPv6Network,
            ipaddress.IPv4Interface,
            ipaddress.IPv6Interface,
        ),
        ("string",),
        "text",
        Kind.TEXT,
    ),
    StoredType((Decimal128,), ("decimal",), "Decimal128"),
    StoredType((Timestamp,), ("timestamp",), "timestamp", is_ordered=True, fits_column=False),
    StoredType((Regex,), ("regex",), "regular expression", fits_column=False),
    StoredType((MinKey,), ("minKey",), "MinKey", fits_column=False),
    StoredType((MaxKey,), ("maxKey",), "MaxKey", fits_column=False),
    StoredType(
        (set, frozenset, AbstractSet),
        ("array",),
        "array, sorted by the stored form of the items",
        Kind.SET,
        limits="array",
    ),
    StoredType(
        (dict, Mapping, MutableMapping),
        ("object",),
        "document; keys become strings, and every string is allowed",
        Kind.MAPPING,
        limits="object",
    ),
    StoredType((list, tuple, deque), ("array",), "array", Kind.ARRAY, limits="array"),
)
#: Dataclasses and `TypedDict`s, which no base class tells from other classes.
RECORD = StoredType((), ("object",), "document", Kind.RECORD)
#: Generic classes that are stored as arrays, besides those in `TYPES`: pydantic validates them as
#: lists, or as iterators.
SEQUENCES: tuple[type, ...] = (Sequence, MutableSequence)


def entry_of(kind: type) -> StoredType | None:
    """Return the entry of a class; None for a type that is stored as pydantic writes it to JSON."""
    if is_typeddict(kind):  # which is a dict at run time
        return RECORD
    for entry in TYPES:
        if issubclass(kind, entry.classes):
            return entry
    return RECORD if is_record(kind) else None


def is_record(kind: Any) -> bool:
    """Say whether a class is a dataclass or a `TypedDict`."""
    return is_dataclass(kind) or is_typeddict(kind)
