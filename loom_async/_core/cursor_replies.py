"""Replies to `find`, `aggregate` and `getMore`, read without decoding their documents.

The driver's cursors make a Python object of every document, even for a caller that needs only its
bytes. Here the batch is cut from the bytes of the reply as a whole.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import bson

from .bson_elements import ARRAY, INT64, elements

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
    starts = {name: start for name, _, start, _ in elements(reply)}
    batch, cursor_id = b"", 0
    for name, element_type, start, end in elements(reply, starts["cursor"]):
        if element_type == ARRAY and name in ("firstBatch", "nextBatch"):
            batch = _join_array(memoryview(reply)[start:end])
        elif element_type == INT64 and name == "id":
            (cursor_id,) = _INT64_VALUE(reply, start)
    return CursorReply(batch, cursor_id)
