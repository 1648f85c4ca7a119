"""Columns that get a wider type."""

from __future__ import annotations

import pyarrow as pa

from tests.core.arrow.documents import table_of


def test_widening() -> None:
    batches = [
        [{"a": 1, "b": 1, "c": 1}],
        [{"a": 2.5, "b": "x", "c": None}],
        [{"a": 3, "b": {"d": 1}}],
    ]
    schema = pa.schema([("a", pa.int64()), ("b", pa.int64()), ("c", pa.int64())])
    table = table_of(*batches, schema=schema, on_mismatch="widen")
    assert table.column("a").to_pylist() == [1.0, 2.5, 3.0]
    assert table.column("b").to_pylist() == ["1", "x", '{"d": 1}']
    assert table.column("c").to_pylist() == [1, None, None]
    assert table.schema.field("c").type == pa.int64()


def test_fields_that_come_after_a_widening() -> None:
    batches = [{"v": 1}], [{"v": "x"}], [{"v": 2, "new": 5}], [{"new": 6}]
    table = table_of(*batches, schema=None, on_mismatch="widen")
    assert table.to_pydict() == {"v": ["1", "x", "2", None], "new": [None, None, 5, 6]}
