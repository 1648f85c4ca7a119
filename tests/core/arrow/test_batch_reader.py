"""pymongoarrow and Python read every batch alike."""

from __future__ import annotations

from typing import Any

import bson
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from loom_async._core.arrow.arrow_types import columns_of
from loom_async._core.arrow.batch_reader import BatchReader
from loom_async._core.arrow.document_converter import DocumentConverter
from loom_async._core.bson_codec import CODEC_OPTIONS, encode_bson
from tests.core.arrow.documents import ANY, SCHEMA, raw_batch, rows_of, same, summary


@settings(max_examples=500, deadline=None)
@given(ANY)
def test_both_ways_give_the_same(found: list[dict[str, Any]]) -> None:
    """pymongoarrow decodes conforming documents as Python does."""
    columns = columns_of(SCHEMA)
    fast, mismatches = BatchReader(raw_batch(found), columns).read()
    converter = DocumentConverter(columns)
    exact = converter.batch([bson.decode(encode_bson(d), CODEC_OPTIONS) for d in found])
    assert summary(mismatches) == summary(converter.mismatches)
    assert all(map(same, rows_of(pa.table(fast)), rows_of(pa.table(exact))))


@settings(max_examples=50, deadline=None)
@given(ANY, st.lists(st.integers(0, 5), min_size=100, max_size=300))
def test_long_batches_keep_their_order(some: list[dict[str, Any]], picked: list[int]) -> None:
    """Rows decoded in Python keep their positions among those that pymongoarrow decodes."""
    found = [{**some[n % len(some)], "small": row} if some else {} for row, n in enumerate(picked)]
    reader = BatchReader(raw_batch(found), columns_of(SCHEMA))
    batch, mismatches = reader.read()
    converter = DocumentConverter(columns_of(SCHEMA))
    exact = converter.batch([bson.decode(encode_bson(d), CODEC_OPTIONS) for d in found])
    assert summary(mismatches) == summary(converter.mismatches)
    assert all(map(same, rows_of(pa.table(batch)), rows_of(pa.table(exact))))
