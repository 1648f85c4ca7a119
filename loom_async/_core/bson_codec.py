"""Documents to BSON bytes and back, in one form for every client."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from datetime import UTC
from typing import Any

import bson
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions
from bson.errors import InvalidBSON, InvalidDocument, InvalidStringData

# How every client of Loom reads and writes: aware datetimes, UUIDs as subtype 4.
CODEC_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True, uuid_representation=UuidRepresentation.STANDARD
)


#: What the driver raises for a value that BSON does not have.
UNENCODABLE = (InvalidDocument, InvalidStringData, InvalidBSON, OverflowError, UnicodeError)


BSON_LIMITS = "MongoDB holds integers of 64 bits, strings of valid Unicode and keys without NUL"


_LONGEST_REASON = 300


def encoding_reason(error: BaseException) -> str:
    """Return what the driver says of a value that BSON does not have, without the whole document.

    Parameters:
        error: One of `UNENCODABLE`.
    """
    # Some versions put the document in front.
    reason = str(error).removeprefix("Invalid document: ").rpartition(" | ")[2]
    cut = len(reason) > _LONGEST_REASON
    return f"{reason[:_LONGEST_REASON]}…" if cut else reason


def encode_bson(document: Mapping[str, Any]) -> bytes:
    """Return the BSON bytes of a document."""
    return bson.encode(document, codec_options=CODEC_OPTIONS)


def decode_bson(raw: bytes) -> dict[str, Any]:
    """Return the document of BSON bytes."""
    return bson.decode(raw, CODEC_OPTIONS)  # pyright: ignore[reportUnknownMemberType]


def decode_bson_stream(stream: bytes) -> list[dict[str, Any]]:
    """Return the documents of BSON bytes that follow one another."""
    return bson.decode_all(stream, CODEC_OPTIONS)  # pyright: ignore[reportUnknownMemberType]


def utc_milliseconds(value: dt.datetime) -> dt.datetime:
    """Return the same moment in UTC, cut to the milliseconds that BSON holds; naive means UTC."""
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    elif value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    excess = value.microsecond % 1000
    return value.replace(microsecond=value.microsecond - excess) if excess else value
