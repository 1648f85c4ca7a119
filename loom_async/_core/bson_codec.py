"""The codec options of every client; encodes and decodes documents by them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from datetime import UTC
from typing import Any

import bson
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions
from bson.errors import InvalidBSON, InvalidDocument, InvalidStringData

from .errors import EncodingError

#: The options of every client of Loom: aware datetimes, UUIDs as subtype 4.
CODEC_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True, uuid_representation=UuidRepresentation.STANDARD
)
#: The errors that the driver raises for values that BSON cannot represent.
UNENCODABLE = (InvalidDocument, InvalidStringData, InvalidBSON, OverflowError, UnicodeError)
#: The hint for such a value.
BSON_LIMITS = "MongoDB holds integers of 64 bits, strings of valid Unicode and keys without NUL"
_MAX_REASON = 300


def encoding_reason(error: BaseException) -> str:
    """Return the driver's reason why a value cannot be encoded, without the whole document.

    Parameters:
        error: One of `UNENCODABLE`.
    """
    # Some versions of the driver put the document before the reason.
    reason = str(error).removeprefix("Invalid document: ").rpartition(" | ")[2]
    return f"{reason[:_MAX_REASON]}…" if len(reason) > _MAX_REASON else reason


def encode_bson(document: Mapping[str, Any]) -> bytes:
    """Return the BSON bytes of a document."""
    return bson.encode(document, codec_options=CODEC_OPTIONS)


def decode_bson(raw: bytes) -> dict[str, Any]:
    """Return the document that BSON bytes encode."""
    return bson.decode(raw, CODEC_OPTIONS)  # pyright: ignore[reportUnknownMemberType]


def utc_milliseconds(value: dt.datetime) -> dt.datetime:
    """Return a datetime in UTC, truncated to BSON's milliseconds; a naive one is taken as UTC.

    Raises:
        EncodingError: In UTC it is outside of the years 1 to 9999.
    """
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    elif value.tzinfo is not UTC:
        try:
            value = value.astimezone(UTC)
        except OverflowError:
            raise EncodingError(
                f"{value.isoformat()} is outside of the years 1 to 9999 in UTC", path=""
            ) from None
    excess = value.microsecond % 1000
    return value.replace(microsecond=value.microsecond - excess) if excess else value
