"""A table holds exactly what the documents hold, or it is refused."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from bson import ObjectId
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from hypothesis import given, settings
from hypothesis import strategies as st

from loom_async._core.arrow.table_builder import NULLED, TableBuilder
from loom_async._core.bson_codec import decode_bson, encode_bson
from loom_async._core.errors import LossyConversion
from tests.core.arrow.documents import (
    ANY,
    FITTING,
    SCHEMA,
    documents,
    expected,
    raw_batch,
    rows_of,
    same,
    table_of,
)


@settings(max_examples=300, deadline=None)
@given(documents(FITTING))
def test_fitting_documents_are_held(found: list[dict[str, Any]]) -> None:
    table = table_of(found)
    assert table.schema == SCHEMA
    for document, row in zip(found, rows_of(table), strict=True):
        for field in SCHEMA:
            assert same(expected(document.get(field.name), field.type), row[field.name]), field.name


@settings(max_examples=500, deadline=None)
@given(ANY)
def test_any_documents_are_held_or_refused(found: list[dict[str, Any]]) -> None:
    try:
        table = table_of(found)
    except LossyConversion:
        return
    stored = [decode_bson(encode_bson(document)) for document in found]
    for document, row in zip(stored, rows_of(table), strict=True):
        for field in SCHEMA:
            assert same(expected(document.get(field.name), field.type), row[field.name]), field.name


@settings(max_examples=200, deadline=None)
@given(st.lists(ANY, max_size=3))
def test_widening_and_nulling_never_fail(batches: list[list[dict[str, Any]]]) -> None:
    rows = sum(map(len, batches))
    assert table_of(*batches, on_mismatch="widen").num_rows == rows
    assert table_of(*batches, on_mismatch="null").num_rows == rows
    assert table_of(*batches, schema=None, on_mismatch="widen").num_rows == rows


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("a_longer_name_of_a_field", [1, 2.5]),
        ("a_longer_name_of_a_field", [1, "x"]),
        ("a_longer_name_of_a_field", [True]),
        ("a_longer_name_of_a_field", [-0.0]),
        ("small", [Int64(2**31)]),
        ("score", [Int64(2**53 + 1)]),
        ("name", ["x", 1]),
        ("at", ["2020-01-01"]),
        ("day", [dt.datetime(2020, 1, 1, 12)]),
        ("price", [Decimal128("0.1234567890123456789")]),
        ("price", [Decimal128("-0")]),
        ("price", [Decimal128("Infinity")]),
        ("key", [b"x" * 16]),
        ("raw", [UUID(int=1)]),
        ("tags", ["x"]),
        ("tags", [["x", 1]]),
        ("address", ["x"]),
        ("address", [{"zip": "x"}]),
        ("old", [[{"zip": 1}, {"zip": 1.5}]]),
        ("deep", [{"address": {"zip": 1.5}}]),
    ],
)
def test_each_loss_is_refused(field: str, values: list[Any]) -> None:
    found = [{"_id": ObjectId(), field: value} for value in values]
    with pytest.raises(LossyConversion) as caught:
        table_of(found)
    assert caught.value.field.startswith(field)
    assert caught.value.id == found[-1]["_id"]
    assert caught.value.types
    assert field in str(caught.value)
    assert 'on_mismatch="widen"' in str(caught.value)


def test_nulling_counts() -> None:
    schema = pa.schema([("a", pa.int64()), ("s", pa.struct([("x", pa.int64())]))])
    found = [{"a": 1, "s": {"x": 2.5}}, {"a": "x", "s": {"x": 1}}, {"a": 2.5}]
    table = table_of(found, schema=schema, on_mismatch="null")
    assert table.to_pylist() == [
        {"a": 1, "s": {"x": None}}, {"a": None, "s": {"x": 1}}, {"a": None, "s": None},
    ]  # fmt: skip
    assert json.loads(table.schema.metadata[NULLED]) == {"a": 2, "s.x": 1}


def test_nothing_at_all() -> None:
    assert table_of().schema == SCHEMA
    assert table_of([]).num_rows == 0
    assert table_of(schema=None).num_columns == 0
    assert table_of([{}, {}], schema=None).num_rows == 2
    assert table_of([{}, {}]).num_rows == 2


def test_the_schema_is_final_once_batches_were_taken() -> None:
    builder = TableBuilder(None)
    builder.add(raw_batch([{"v": None, "s": {"p": 1}}]))
    (first,) = builder.take_batches(1)
    assert first.schema.field("v").type == pa.null()
    for later in ({"v": 7}, {"s": {"q": 2}}, {"new": 1}):
        with pytest.raises(LossyConversion):
            builder.add(raw_batch([later]))
    assert builder.take_batches(1) == []
