"""The elements of a BSON document, found without decoding any value (bsonspec.org)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_LENGTH = struct.Struct("<i").unpack_from
# The bytes of a value by its type, and of what stands beside the length that others begin with.
_SIZES = {
    0x01: 8, 0x06: 0, 0x07: 12, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16,
    0x7F: 0, 0xFF: 0,
}  # fmt: skip
_BESIDE_LENGTH = {0x02: 4, 0x03: 0, 0x04: 0, 0x05: 5, 0x0C: 16, 0x0D: 4, 0x0E: 4, 0x0F: 0}
_REGEX = 0x0B


def elements(data: bytes, start: int = 0) -> Iterator[tuple[str, int, int, int]]:
    """Yield name, type, begin and end of each value of the document that begins at `start`."""
    position = start + 4
    while kind := data[position]:
        stop = data.index(0, position + 1)
        name = data[position + 1 : stop].decode()
        begin = stop + 1
        position = _end(data, kind, begin)
        yield name, kind, begin, position


def _end(data: bytes, kind: int, begin: int) -> int:
    size = _SIZES.get(kind)
    if size is not None:
        return begin + size
    if kind == _REGEX:
        return data.index(0, data.index(0, begin) + 1) + 1
    length: int = _LENGTH(data, begin)[0]
    return begin + length + _BESIDE_LENGTH[kind]
