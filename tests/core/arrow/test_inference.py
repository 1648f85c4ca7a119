"""Types inferred from documents."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom_async._core.arrow.table_builder import NULLED
from loom_async._core.bson_codec import decode_bson, encode_bson
from loom_async._core.errors import LossyConversion
from tests.core.arrow.documents import ANY, expected, rows_of, same, table_of


@settings(max_examples=300, deadline=None)
@given(st.lists(ANY, max_size=3))
def test_inference_holds_or_refuses(batches: list[list[dict[str, Any]]]) -> None:
    try:
        table = table_of(*batches, schema=None)
    except LossyConversion:
        return
    stored = [decode_bson(encode_bson(document)) for batch in batches for document in batch]
    for document, row in zip(stored, rows_of(table), strict=True):
        assert set(document) <= set(row)
        for name in row:
            assert same(expected(document.get(name), table.schema.field(name).type), row[name]), (
                name
            )


def test_inference_grows() -> None:
    table = table_of(
        [{"a": 1, "s": {"x": 1}}, {}], [{"a": 2.5, "b": [None]}], [{"s": {"y": "q"}, "b": [1]}],
        schema=None,
    )  # fmt: skip
    assert rows_of(table) == [
        {"a": 1.0, "s": {"x": 1, "y": None}, "b": None},
        {"a": None, "s": None, "b": None},
        {"a": 2.5, "s": None, "b": [None]},
        {"a": None, "s": {"x": None, "y": "q"}, "b": [1]},
    ]


def test_columns_of_type_null_are_inferred() -> None:
    schema = pa.schema([("a", pa.null()), ("b", pa.int64())])
    table = table_of([{"a": {"x": 1}, "c": 5}], [{"a": {"y": "z"}, "b": 2}], schema=schema)
    assert rows_of(table) == [
        {"a": {"x": 1, "y": None}, "b": None}, {"a": {"x": None, "y": "z"}, "b": 2},
    ]  # fmt: skip


def test_integers_that_a_later_double_would_change() -> None:
    big = [{"_id": 1, "v": 2**53 + 1}], [{"_id": 2, "v": 2.5}]
    with pytest.raises(LossyConversion) as caught:
        table_of(*big, schema=None)
    assert (caught.value.field, caught.value.id) == ("v", 1)
    assert table_of(*big, schema=None, on_mismatch="widen").column("v").to_pylist() == [
        "9007199254740993", "2.5",
    ]  # fmt: skip
    nulled = table_of(*big, schema=None, on_mismatch="null")
    assert nulled.column("v").to_pylist() == [None, 2.5]
    assert json.loads(nulled.schema.metadata[NULLED]) == {"v": 1}
    schema = pa.schema([("v", pa.int64())])
    widened = table_of(*big, schema=schema, on_mismatch="widen")
    assert widened.column("v").to_pylist() == ["9007199254740993", "2.5"]


def test_names_with_dots_in_errors() -> None:
    with pytest.raises(LossyConversion, match=r"v\.a\.b holds string"):
        table_of([{"v": {"a.b": 1}}, {"v": {"a.b": "x"}}], schema=None)
