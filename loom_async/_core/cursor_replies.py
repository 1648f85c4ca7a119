"""Replies with a batch of documents, cut without making an object of any document.

A driver's cursor makes a Python object of each document on the way, even of one whose bytes are all
that is wanted. Here the batch is found in the reply's bytes and taken out as one piece.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import bson

from .bson_elements import elements

_INT64 = struct.Struct("<q").unpack_from
_ARRAY, _LONG = 0x04, 0x12
_join_array: Any = bson._array_of_documents_to_buffer  # pyright: ignore


@dataclass(frozen=True)
class Reply:
    """What a `find`, `aggregate` or `getMore` has brought.

    Parameters:
        stream: The documents, following one another.
        cursor_id: What to ask for more with; 0 if there is no more.
    """

    stream: bytes
    cursor_id: int


def cut(reply: bytes) -> Reply:
    """Return the batch of a reply.

    Parameters:
        reply: The BSON bytes of the server's reply to a `find`, `aggregate` or `getMore`.
    """
    fields = {name: (kind, start, end) for name, kind, start, end in elements(reply, 0)}
    _, start, _ = fields["cursor"]
    stream, cursor_id = b"", 0
    for name, kind, begin, end in elements(reply, start):
        if kind == _ARRAY and name in ("firstBatch", "nextBatch"):
            stream = _join_array(memoryview(reply)[begin:end])
        elif kind == _LONG and name == "id":
            (cursor_id,) = _INT64(reply, begin)
    return Reply(stream, cursor_id)
