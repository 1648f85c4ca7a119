"""Which documents conform to columns."""

from __future__ import annotations

import datetime as dt
from typing import Any

import bson
import pyarrow as pa
import pytest
from bson import Binary, DBRef, Int64, MaxKey, ObjectId, Regex

from loom_async._core.arrow.arrow_types import TIMESTAMP, columns_of
from loom_async._core.arrow.bson_conformance import ConformanceCheck, document_offsets
from loom_async._core.arrow.table_builder import TableBuilder
from tests.core.arrow.documents import ADDRESS, raw_batch

SCHEMA = pa.schema(
    [
        ("n", pa.int64()),
        ("x", pa.float64()),
        ("day", pa.date32()),
        ("raw", pa.binary()),
        ("tags", pa.list_(pa.string())),
        ("address", ADDRESS),
        ("old", pa.list_(ADDRESS)),
    ]
)


def check(raw: bytes, schema: pa.Schema = SCHEMA) -> ConformanceCheck:
    """Return a check of a raw batch that has run."""
    done = ConformanceCheck(raw, document_offsets(raw))
    done.run(columns_of(schema).root)
    return done


@pytest.mark.parametrize(
    ("document", "conforms"),
    [
        ({}, True),
        ({"n": 1}, True),
        ({"n": Int64(1)}, True),
        ({"n": None}, True),
        ({"n": 1.0}, False),
        ({"x": 1}, True),
        ({"x": float("nan")}, False),
        ({"day": dt.datetime(2020, 1, 1)}, True),
        ({"day": dt.datetime(2020, 1, 1, 12)}, False),
        ({"raw": b"x"}, True),
        ({"raw": Binary(b"x", 5)}, False),
        ({"tags": ["a", None]}, True),
        ({"tags": ["a", 1]}, False),
        ({"tags": ["a"] * 256}, True),
        ({"tags": ["a"] * 257}, False),
        ({"address": None}, True),
        ({"address": {"zip": "x"}}, False),
        ({"old": [{"zip": Int64(1)}, {}]}, True),
        ({"old": [None]}, False),
        ({"unknown": [MaxKey(), ObjectId(), {"a": DBRef("c", 1)}]}, True),
        ({"unknown": Regex("x")}, False),
    ],
)
def test_conformance_of_one_document(document: dict[str, Any], conforms: bool) -> None:
    for schema in (SCHEMA, pa.schema(reversed(SCHEMA))):
        assert check(raw_batch([document]), schema).conforms.tolist() == [conforms]


def test_documents_of_other_orders_conform() -> None:
    fields = [("n", 1), ("x", 1.5), ("tags", ["a"])]
    shapes = [dict(fields), dict(reversed(fields)), {"x": 1.5}, {"n": "text"}]
    done = check(raw_batch([shapes[n % 4] for n in range(400)]))
    assert done.conforms.tolist() == [True, True, True, False] * 100


def test_null_structs_are_recorded() -> None:
    done = check(raw_batch([{"address": {"zip": Int64(1)}}, {"address": None}, {}]))
    assert {path: mask.tolist() for path, mask in done.null_structs.items()} == {
        ("address",): [False, True, True]
    }


def test_columns_that_python_decodes_are_cut_out() -> None:
    schema = pa.schema([("n", pa.int64()), ("counts", pa.map_(pa.string(), pa.int64()))])
    found = [{"n": 1, "counts": {"a": 1}, "z": 5}, {"counts": None}, {"n": 2}]
    done = check(raw_batch(found), schema)
    assert bson.decode_all(done.python_columns(done.conforms.nonzero()[0])) == [
        {"counts": {"a": 1}}, {"counts": None}, {},
    ]  # fmt: skip


def test_values_of_types_that_pymongo_does_not_encode() -> None:
    """Elements of no column may have deprecated types: undefined, DBPointer, symbol."""
    deprecated = b"\x06u\0" + b"\x0cp\0\x02\0\0\0c\0" + bytes(12) + b"\x0es\0\x02\0\0\0x\0"
    body = deprecated + bson.encode({"at": dt.datetime(2020, 1, 1), "n": 7})[4:-1]
    raw = (len(body) + 5).to_bytes(4, "little") + body + b"\0"
    schema = pa.schema([("n", pa.int64()), ("at", TIMESTAMP)])
    assert check(raw, schema).conforms.tolist() == [True]
    builder = TableBuilder(schema)
    builder.add(raw)
    assert builder.table().column("n").to_pylist() == [7]
