"""Wider types for what one type does not hold, and batches made before in that type."""

from __future__ import annotations

from typing import Any

from .arrow_types import TIMESTAMP, Columns, pa
from .exact_decoder import ExactDecoder, Mismatch
from .python_objects import to_objects


def widened(schema: Any, path: str, found: set[str]) -> tuple[Any, bool]:
    """Return a schema whose column holds other BSON types too, and whether it does so as text.

    Parameters:
        schema: The schema so far.
        path: Where the misfit was; a part of a nested column widens the whole of it.
        found: The names of the BSON types that were found.
    """
    name = column_at(schema, path)
    if name is None:
        return schema, False
    place = schema.get_field_index(name)
    type_ = schema.field(name).type
    wider = _wider(type_, found) if path == name else None
    field = pa.field(name, wider if wider is not None else pa.string())
    return schema.set(place, field), wider is None


def column_at(schema: Any, path: str) -> str | None:
    """Return the column that a path leads into; names may have dots themselves."""
    above = [n for n in schema.names if path == n or path.startswith((f"{n}.", f"{n}["))]
    return max(above, key=len, default=None)


def _wider(type_: Any, found: set[str]) -> Any:
    if pa.types.is_integer(type_) and found == {"long"}:
        return pa.int64()
    if pa.types.is_integer(type_) and "double" in found and found <= {"double", "long"}:
        return pa.float64()
    if pa.types.is_date32(type_) and found == {"date"}:
        return TIMESTAMP
    return None


def recast(batch: Any, columns: Columns) -> tuple[Any, dict[str, Mismatch]]:
    """Return a batch in the types that its table has come to, and what does not fit them."""
    mismatches: dict[str, Mismatch] = {}
    if batch.schema.equals(columns.schema):
        return batch, mismatches
    wanted = columns.schema
    arrays: list[Any] = []
    for field, (name, node) in zip(wanted, columns.root.children, strict=True):
        index = batch.schema.get_field_index(name)
        if index < 0 or pa.types.is_null(batch.schema.field(index).type):
            arrays.append(pa.nulls(batch.num_rows, field.type))
        elif batch.schema.field(index).type == field.type and name not in columns.texts:
            arrays.append(batch.column(index))
        else:
            rows = [{name: value} for value in to_objects(batch.column(index))]
            decoder = ExactDecoder(columns.only(((name, node),)))
            arrays.append(decoder.batch(rows).column(0))
            mismatches |= decoder.mismatches
    return pa.RecordBatch.from_arrays(arrays, schema=wanted), mismatches
