"""Arrow tables as pandas frames, without any loss."""

from __future__ import annotations

import json
from typing import Any

from ..model.hydration import collector_paused
from ..optional_libraries import library
from .arrow_types import pa
from .python_objects import to_objects
from .table_builder import NULLED

pd: Any = library("pandas")
_compute: Any = library("pyarrow.compute")

# The nullable types of pandas for columns that have nulls.
_NULLABLE = (
    (pa.int64(), pd.Int64Dtype()),
    (pa.int32(), pd.Int32Dtype()),
    (pa.float64(), pd.Float64Dtype()),
    (pa.bool_(), pd.BooleanDtype()),
)


def to_pandas(table: Any) -> Any:
    """Return a table as a pandas frame, with `_id` as its index.

    Columns of numbers with nulls have pandas' nullable types, which keep large integers exact.
    Columns for which pandas has no type hold Python objects. A table without `_id` gets a
    RangeIndex.
    """
    with collector_paused():
        columns = {name: _series(table.column(name)) for name in table.column_names}
    index = columns.pop("_id", None)
    rows = pd.RangeIndex(table.num_rows) if index is None else pd.Index(index, name="_id")
    frame = pd.DataFrame(columns, index=rows)
    metadata: dict[bytes, bytes] = table.schema.metadata or {}
    if NULLED in metadata:
        frame.attrs[NULLED.decode()] = json.loads(metadata[NULLED])
    return frame


def _mixes_nan_and_null(column: Any) -> bool:
    # pandas takes NaN for null; a column of objects tells them apart.
    is_float = pa.types.is_floating(column.type)
    return bool(is_float and column.null_count and _compute.any(_compute.is_nan(column)).as_py())


def _series(column: Any) -> Any:
    type_, is_ = column.type, pa.types
    nullable = next((dtype for own, dtype in _NULLABLE if own == type_), None)
    if nullable is not None and not _mixes_nan_and_null(column):
        types = {type_: nullable}.get if column.null_count else None
        return column.to_pandas(types_mapper=types).array
    if is_.is_string(type_) or is_.is_large_string(type_) or is_.is_timestamp(type_):
        return column.to_pandas().array
    return pd.array([value for chunk in column.chunks for value in to_objects(chunk)], dtype=object)
