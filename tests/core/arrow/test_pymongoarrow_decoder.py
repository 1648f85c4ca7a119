"""Values that pymongoarrow decodes as integers of 64 or 128 bits."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
from bson.decimal128 import Decimal128

from loom_async._core.arrow.arrow_types import TIMESTAMP
from loom_async._core.arrow.table_builder import TableBuilder
from loom_async._core.bson_codec import encode_bson
from tests.core.arrow.documents import raw_batch, table_of


def test_years_beyond_9999() -> None:
    """A table holds them; Python's datetime ends with the year 9999."""
    raw = raw_batch([{"at": dt.datetime(9999, 1, 1)}]).replace(
        encode_bson({"at": dt.datetime(9999, 1, 1)})[8:16], (10**15).to_bytes(8, "little")
    )
    builder = TableBuilder(pa.schema([("at", TIMESTAMP)]))
    builder.add(raw)
    assert builder.table().column("at").cast(pa.int64()).to_pylist() == [10**15]


def test_decimals_of_many_scales() -> None:
    numbers = [
        "1.50",
        "-2",
        "0",
        "1234567890123456.123456789012345678",
        "1E+3",
        "-7E-18",
        "0E-6176",
    ]
    table = table_of([{"price": Decimal128(number)} for number in numbers])
    assert table.column("price").to_pylist() == [Decimal(number) for number in numbers]
