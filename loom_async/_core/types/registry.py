"""One entry for each Python type: how it is stored, ordered, and shown in tables and validators.

Codecs, Arrow schemas and `$jsonSchema` find the entry of an annotation's class here. A value of a
type without an entry is stored as pydantic writes it to JSON, if it loads back equal.
"""

from __future__ import annotations

import datetime as dt
import inspect
import ipaddress
import os
import re
from collections import deque
from collections.abc import (
    Mapping,
    MutableMapping,
    MutableSequence,
    MutableSet,
    Sequence,
)
from collections.abc import Set as AbstractSet
from dataclasses import is_dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import PurePath
from types import NoneType
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from bson import Code, Decimal128, MaxKey, MinKey, ObjectId, Regex, Timestamp
from pydantic import (
    AnyUrl,
    AwareDatetime,
    BaseModel,
    EmailStr,
    FutureDate,
    FutureDatetime,
    IPvAnyAddress,
    IPvAnyInterface,
    IPvAnyNetwork,
    MongoDsn,
    NaiveDatetime,
    NameEmail,
    NatsDsn,
    PastDate,
    PastDatetime,
    PostgresDsn,
    SecretBytes,
    SecretStr,
)
from typing_extensions import is_typeddict

from ..bson_codec import utc_milliseconds
from .conversions import (
    bytearray_from_bson,
    bytes_key,
    complex_to_bson,
    date_to_bson,
    decimal_from_bson,
    decimal_to_bson,
    isoformat,
    naive_from_bson,
    pattern_from_bson,
    pattern_to_bson,
    secret_key,
    secret_to_bson,
    time_to_bson,
    timedelta_from_bson,
    timedelta_key,
    timedelta_to_bson,
)
from .stored_type import Kind, StoredType

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
    StoredType((bytes,), ("binData",), "binary", arrow="binary", key=bytes_key),
    StoredType(
        (bytearray,),
        ("binData",),
        "binary",
        encode=bytes,
        decode=bytearray_from_bson,
        arrow="binary",
        key=bytes_key,
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
        key=isoformat,
    ),
    StoredType(
        (dt.date,),
        ("date",),
        "date, at midnight UTC",
        encode=date_to_bson,
        is_ordered=True,
        arrow="date32",
        key=isoformat,
    ),
    StoredType(
        (Decimal,),
        ("decimal",),
        "Decimal128 with the same digits, 34 at most",
        encode=decimal_to_bson,
        decode=decimal_from_bson,
        is_ordered=True,
        arrow="decimal128",
        limits="decimal",
    ),
    StoredType(
        (SecretStr,),
        ("string",),
        "string, the secret in plain text",
        encode=secret_to_bson,
        arrow="string",
        key=secret_key,
    ),
    StoredType(
        (SecretBytes,),
        ("binData",),
        "binary, the secret in plain text",
        encode=secret_to_bson,
        arrow="binary",
        key=secret_key,
    ),
    StoredType(
        (re.Pattern,),
        ("regex",),
        "regular expression",
        encode=pattern_to_bson,
        decode=pattern_from_bson,
        fits_column=False,
    ),
    StoredType(
        (dt.time,),
        ("string",),
        "text of a fixed width: `08:05:00.000000`",
        Kind.TEXT,
        encode=time_to_bson,
        is_ordered=True,
        arrow="string",
        key=isoformat,
    ),
    StoredType(
        (dt.timedelta,),
        ("int", "long"),
        "int or long: whole microseconds",
        encode=timedelta_to_bson,
        decode=timedelta_from_bson,
        is_ordered=True,
        arrow="duration[us]",
        key=timedelta_key,
    ),
    StoredType(
        (AnyUrl, MongoDsn, NatsDsn, PostgresDsn, NameEmail, PurePath, Fraction, ZoneInfo),
        ("string",),
        "text",
        Kind.TEXT,
        encode=str,
        arrow="string",
    ),
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
        encode=str,
        arrow="string",
    ),
    StoredType((complex,), ("string",), "text", Kind.TEXT, encode=complex_to_bson, arrow="string"),
    StoredType((Decimal128,), ("decimal",), "Decimal128"),
    StoredType((Timestamp,), ("timestamp",), "timestamp", is_ordered=True, fits_column=False),
    StoredType((Regex,), ("regex",), "regular expression", fits_column=False),
    StoredType((MinKey,), ("minKey",), "MinKey", fits_column=False),
    StoredType((MaxKey,), ("maxKey",), "MaxKey", fits_column=False),
    StoredType(
        (set, frozenset, MutableSet, AbstractSet),
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
#: `NamedTuple`s, likewise.
NAMED_TUPLE = StoredType((), ("array",), "array", Kind.RECORD)
#: Abstract classes that are stored as arrays, besides those in `TYPES`.
SEQUENCES: tuple[type, ...] = (Sequence, MutableSequence)

_BY_CLASS: dict[type, StoredType] = {kind: entry for entry in TYPES for kind in entry.classes}
_NAIVE = _BY_CLASS[dt.datetime]._replace(decode=naive_from_bson)
#: Entries of the classes of pydantic that only annotate: their values are of other classes.
STAND_INS: dict[Any, StoredType] = {
    AwareDatetime: _BY_CLASS[dt.datetime],
    NaiveDatetime: _NAIVE,
    PastDatetime: _BY_CLASS[dt.datetime],
    FutureDatetime: _BY_CLASS[dt.datetime],
    PastDate: _BY_CLASS[dt.date],
    FutureDate: _BY_CLASS[dt.date],
    EmailStr: _BY_CLASS[str],
    IPvAnyAddress: _BY_CLASS[ipaddress.IPv4Address],
    IPvAnyNetwork: _BY_CLASS[ipaddress.IPv4Address],
    IPvAnyInterface: _BY_CLASS[ipaddress.IPv4Address],
    os.PathLike: _BY_CLASS[PurePath],
}


def entry_of(kind: type) -> StoredType | None:
    """Return the entry of a class; None if it has none."""
    entry = _BY_CLASS.get(kind) or STAND_INS.get(kind)
    if entry is not None:
        return entry
    if is_typeddict(kind):  # which is a dict at run time
        return RECORD
    if is_named_tuple(kind):
        return NAMED_TUPLE
    for entry in TYPES:
        if issubclass(kind, entry.classes):
            return entry
    return RECORD if is_record(kind) else None


def is_named_tuple(kind: Any) -> bool:
    """Say whether a class is a `NamedTuple`."""
    return inspect.isclass(kind) and issubclass(kind, tuple) and "_fields" in dir(cast("Any", kind))


def is_record(kind: Any) -> bool:
    """Say whether a class is a dataclass, a `TypedDict` or a `NamedTuple`."""
    return is_dataclass(kind) or is_typeddict(kind) or is_named_tuple(kind)
