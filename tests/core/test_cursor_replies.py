"""The batch of a reply is found without decoding its documents."""

from __future__ import annotations

import bson
import pytest
from bson import Int64, Timestamp

from loom_async._core.cursor_replies import parse_cursor_reply


@pytest.mark.parametrize("batch", ["firstBatch", "nextBatch"])
@pytest.mark.parametrize("count", [0, 1, 120])
def test_the_batch_of_a_reply(batch: str, count: int) -> None:
    documents = [{"_id": n, "text": "x" * n} for n in range(count)]
    cursor = {batch: documents, "id": Int64(5), "ns": "db.c", "partialResultsReturned": False}
    raw = bson.encode({"cursor": cursor, "ok": 1.0, "operationTime": Timestamp(1, 1)})
    reply = parse_cursor_reply(raw)
    assert bson.decode_all(reply.batch) == documents
    assert reply.cursor_id == 5
