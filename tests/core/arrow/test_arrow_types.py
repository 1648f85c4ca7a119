"""Columns and their names."""

from __future__ import annotations

import pyarrow as pa
import pytest

from loom_async._core.arrow.arrow_types import columns_of
from loom_async._core.errors import ConfigurationError
from tests.core.arrow.documents import ADDRESS, rows_of, table_of


def test_dotted_names_and_maps() -> None:
    schema = pa.schema(
        [("a.b", pa.int64()), ("a", ADDRESS), ("m", pa.map_(pa.string(), pa.int64()))]
    )
    found = [{"a.b": 1, "a": {"zip": 2}, "m": {"x.y": 1, "$z": None}}, {"m": {}}, {}]
    assert rows_of(table_of(found, schema=schema)) == [
        {"a.b": 1, "a": {"street": None, "zip": 2}, "m": {"x.y": 1, "$z": None}},
        {"a.b": None, "a": None, "m": {}},
        {"a.b": None, "a": None, "m": None},
    ]


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="more than one column a"):
        columns_of(pa.schema([("a", pa.int64()), ("a", pa.int64())]))
