"""BSON elements: their types, and where their values begin and end (bsonspec.org, version 1.1)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

DOUBLE = 0x01
STRING = 0x02
DOCUMENT = 0x03
ARRAY = 0x04
BINARY = 0x05
UNDEFINED = 0x06
OBJECT_ID = 0x07
BOOLEAN = 0x08
DATETIME = 0x09
NULL = 0x0A
REGEX = 0x0B
DB_POINTER = 0x0C
JAVASCRIPT = 0x0D
SYMBOL = 0x0E
JAVASCRIPT_WITH_SCOPE = 0x0F
INT32 = 0x10
TIMESTAMP = 0x11
INT64 = 0x12
DECIMAL128 = 0x13
MAX_KEY = 0x7F
MIN_KEY = 0xFF

#: The bytes of a value, by the types whose values all have one size.
FIXED_SIZES = {
    DOUBLE: 8,
    UNDEFINED: 0,
    OBJECT_ID: 12,
    BOOLEAN: 1,
    DATETIME: 8,
    NULL: 0,
    INT32: 4,
    TIMESTAMP: 8,
    INT64: 8,
    DECIMAL128: 16,
    MAX_KEY: 0,
    MIN_KEY: 0,
}
#: For the types whose values begin with an int32 length: the bytes that this length leaves out.
BYTES_BESIDE_LENGTH = {
    STRING: 4,
    DOCUMENT: 0,
    ARRAY: 0,
    BINARY: 5,
    DB_POINTER: 16,
    JAVASCRIPT: 4,
    SYMBOL: 4,
    JAVASCRIPT_WITH_SCOPE: 0,
}
_LENGTH = struct.Struct("<i").unpack_from


def elements(data: bytes, start: int = 0) -> Iterator[tuple[str, int, int, int]]:
    """Yield the name, type, value start and value end of each element of a document.

    Parameters:
        data: Bytes that contain a BSON document.
        start: The offset of the document.
    """
    offset = start + 4
    while element_type := data[offset]:
        end_of_name = data.index(0, offset + 1)
        name = data[offset + 1 : end_of_name].decode()
        value_start = end_of_name + 1
        offset = _value_end(data, element_type, value_start)
        yield name, element_type, value_start, offset


def _value_end(data: bytes, element_type: int, start: int) -> int:
    size = FIXED_SIZES.get(element_type)
    if size is not None:
        return start + size
    if element_type == REGEX:  # two C strings
        return data.index(0, data.index(0, start) + 1) + 1
    length: int = _LENGTH(data, start)[0]
    return start + length + BYTES_BESIDE_LENGTH[element_type]
