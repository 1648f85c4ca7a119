"""Replies to `find`, `aggregate` and `getMore`, read without decoding their documents.

The driver's cursors make a Python object of every document, even for a caller that needs only its
bytes. Here the batch is cut from the bytes of the reply as a whole.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from .bson_codec import CODEC_OPTIONS
from .bson_elements import ARRAY, DOCUMENT, INT64, elements

#: The options of a command whose reply stays bytes.
RAW: CodecOptions[Any] = CODEC_OPTIONS.with_options(document_class=RawBSONDocument)

# The offset of a document's first element, behind its length.
_FIRST_ELEMENT = 4
_CURSOR = bytes([DOCUMENT]) + b"cursor\0"
_BATCHES = (bytes([ARRAY]) + b"firstBatch\0", bytes([ARRAY]) + b"nextBatch\0")
_ID = bytes([INT64]) + b"id\0"
_LENGTH = struct.Struct("<i").unpack_from
_INT64_VALUE = struct.Struct("<q").unpack_from
_join_array: Any = bson._array_of_documents_to_buffer  # pyright: ignore


class CursorReply(NamedTuple):
    """The batch and the cursor of a reply.

    Parameters:
        batch: The documents, one after another in BSON.
        cursor_id: The cursor to name in the next `getMore`; 0 if there are no more documents.
    """

    batch: bytes
    cursor_id: int


def parse_cursor_reply(reply: bytes) -> CursorReply:
    """Return the batch and the cursor of a reply.

    Parameters:
        reply: The BSON bytes of the server's reply to `find`, `aggregate` or `getMore`.
    """
    return _at_usual_place(reply) or _found(reply)


def _at_usual_place(reply: bytes) -> CursorReply | None:
    """Read a reply that begins with its batch and the cursor, as those of MongoDB do."""
    if not reply.startswith(_CURSOR, _FIRST_ELEMENT):
        return None
    name = _FIRST_ELEMENT + len(_CURSOR) + _FIRST_ELEMENT
    if not reply.startswith(_BATCHES, name):
        return None
    start = reply.index(0, name) + 1
    end = start + _LENGTH(reply, start)[0]
    if not reply.startswith(_ID, end):
        return None
    (cursor_id,) = _INT64_VALUE(reply, end + len(_ID))
    return CursorReply(_join_array(memoryview(reply)[start:end]), cursor_id)


def _found(reply: bytes) -> CursorReply:
    """Read a reply whose elements come in any order."""
    cursor = next(start for name, _, start, _ in elements(reply) if name == "cursor")
    batch, cursor_id = b"", 0
    for name, element_type, start, end in elements(reply, cursor):
        if element_type == ARRAY and name in ("firstBatch", "nextBatch"):
            batch = _join_array(memoryview(reply)[start:end])
        elif element_type == INT64 and name == "id":
            (cursor_id,) = _INT64_VALUE(reply, start)
    return CursorReply(batch, cursor_id)
