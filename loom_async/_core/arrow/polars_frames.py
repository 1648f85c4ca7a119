"""Arrow tables as Polars frames."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..optional_libraries import library
from .arrow_types import OBJECT_ID_TYPE, pa
from .python_objects import to_objects

pl: Any = library("polars")


def to_polars(table: Any) -> Any:
    """Return a table as a Polars frame.

    Polars has no types for ObjectIds and UUIDs. ObjectIds become their 24 hex digits, which every
    operation and file format supports; a column of UUIDs holds Python objects.
    """
    columns = [
        pa.chunked_array([_to_hex(chunk) for chunk in column.chunks], _hex_type(column.type))
        for column in table.columns
    ]
    frame = pl.from_arrow(pa.table(columns, names=table.column_names))
    for field in table.schema:
        if field.type == pa.uuid():
            values = [v for chunk in table.column(field.name).chunks for v in to_objects(chunk)]
            frame = frame.with_columns(pl.Series(field.name, values, dtype=pl.Object))
    return frame


def _hex_type(type_: Any) -> Any:
    """Return a type with string in place of ObjectId, also in nested types."""
    if type_ == OBJECT_ID_TYPE:
        return pa.string()
    if pa.types.is_struct(type_):
        return pa.struct([(field.name, _hex_type(field.type)) for field in type_])
    if pa.types.is_list(type_):
        return pa.list_(_hex_type(type_.value_type))
    if pa.types.is_map(type_):
        return pa.map_(pa.string(), _hex_type(type_.item_type))
    return type_


def _to_hex(array: Any) -> Any:
    type_, wanted = array.type, _hex_type(array.type)
    if type_ == wanted:
        return array
    if type_ == OBJECT_ID_TYPE:
        return _hex_digits(array.storage)
    mask = array.is_null() if array.null_count else None
    if pa.types.is_struct(type_):
        children = [_to_hex(array.field(index)) for index in range(type_.num_fields)]
        return pa.StructArray.from_arrays(children, fields=list(wanted), mask=mask)
    if pa.types.is_list(type_):
        items = _to_hex(array.values)
        return pa.ListArray.from_arrays(array.offsets, items, type=wanted, mask=mask)
    items = _to_hex(array.items)
    return pa.MapArray.from_arrays(array.offsets, array.keys, items, type=wanted, mask=mask)


_HEX_DIGITS = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), "S2")


def _hex_digits(storage: Any) -> Any:
    """Return fixed-size binaries as strings of hex digits."""
    count, size = len(storage), storage.type.byte_width
    raw = np.frombuffer(storage.buffers()[1], np.uint8)
    raw = raw[storage.offset * size : (storage.offset + count) * size]
    offsets = np.arange(count + 1, dtype=np.int32) * (2 * size)
    digits = pa.py_buffer(np.ascontiguousarray(_HEX_DIGITS[raw]))
    text = pa.StringArray.from_buffers(count, pa.py_buffer(offsets), digits)
    if not storage.null_count:
        return text
    return library("pyarrow.compute").if_else(storage.is_valid(), text, None)
