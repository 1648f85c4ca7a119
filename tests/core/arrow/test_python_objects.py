"""Arrow arrays as Python objects."""

from __future__ import annotations

import pyarrow as pa
import pytest
from bson import ObjectId

from loom_async._core.arrow.arrow_types import OBJECT_ID_TYPE
from loom_async._core.arrow.python_objects import to_objects
from tests.core.arrow.documents import rows_of, table_of


def test_object_ids_in_lists_that_are_all_null() -> None:
    line = pa.list_(pa.struct([("ref", OBJECT_ID_TYPE)]))
    schema = pa.schema([("lines", line)])
    assert rows_of(table_of([{}, {"lines": None}], schema=schema)) == [{"lines": None}] * 2
    id = ObjectId()
    assert rows_of(table_of([{}, {"lines": [{"ref": id}]}], schema=schema).slice(1)) == [
        {"lines": [{"ref": id}]}
    ]


def test_maps_with_a_key_twice_are_refused() -> None:
    array = pa.MapArray.from_arrays([0, 2], ["k", "k"], [1, 2])
    with pytest.raises(ValueError, match="a map has a key twice"):
        to_objects(array)
