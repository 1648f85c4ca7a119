"""The batch of a reply is found without decoding its documents."""

from __future__ import annotations

from typing import Any

import bson
import pytest
from bson import Int64, Timestamp

from loom_async._core.cursor_replies import parse_cursor_reply


@pytest.mark.parametrize("batch", ["firstBatch", "nextBatch"])
@pytest.mark.parametrize("count", [0, 1, 120])
@pytest.mark.parametrize("turn", range(4))
def test_the_batch_of_a_reply(batch: str, count: int, turn: int) -> None:
    """The elements may come in any order."""
    documents = [{"_id": n, "text": "x" * n} for n in range(count)]
    cursor = {batch: documents, "id": Int64(5), "ns": "db.c", "partialResultsReturned": False}
    whole = {"cursor": _turned(cursor, turn), "ok": 1.0, "operationTime": Timestamp(1, 1)}
    raw = bson.encode(_turned(whole, turn % 2))
    reply = parse_cursor_reply(raw)
    assert bson.decode_all(reply.batch) == documents
    assert reply.cursor_id == 5


def _turned(document: dict[str, Any], turn: int) -> dict[str, Any]:
    names = list(document)
    return {name: document[name] for name in names[turn:] + names[:turn]}
