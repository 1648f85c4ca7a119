"""Wider types for columns with mismatches, and casts of earlier batches to them."""

from __future__ import annotations

from typing import Any

from .arrow_types import TIMESTAMP, Columns, pa
from .document_converter import DocumentConverter
from .mismatches import Mismatch
from .python_objects import to_objects


def widened(schema: Any, path: str, found: set[str]) -> tuple[Any, bool]:
    """Return a schema with a column widened to further BSON types, and whether that made it text.

    Parameters:
        schema: The schema so far.
        path: The path of the mismatch; one within a nested column makes the column text.
        found: MongoDB's names of the BSON types that do not fit.
    """
    name = column_at(schema, path)
    if name is None:
        return schema, False
    wider = _wider_type(schema.field(name).type, found) if path == name else None
    field = pa.field(name, wider if wider is not None else pa.string())
    return schema.set(schema.get_field_index(name), field), wider is None


def column_at(schema: Any, path: str) -> str | None:
    """Return the column that a path is in; names may contain dots."""
    columns = [n for n in schema.names if path == n or path.startswith((f"{n}.", f"{n}["))]
    return max(columns, key=len, default=None)


def _wider_type(type_: Any, found: set[str]) -> Any:
    if pa.types.is_integer(type_) and found == {"long"}:
        return pa.int64()
    if pa.types.is_integer(type_) and "double" in found and found <= {"double", "long"}:
        return pa.float64()
    if pa.types.is_date32(type_) and found == {"date"}:
        return TIMESTAMP
    return None


def recast(batch: Any, columns: Columns) -> tuple[Any, dict[str, Mismatch]]:
    """Return an earlier batch in the present types of its table, and the mismatches by path."""
    mismatches: dict[str, Mismatch] = {}
    if batch.schema.equals(columns.schema):
        return batch, mismatches
    wanted = columns.schema
    arrays: list[Any] = []
    for field, (name, type_) in zip(wanted, columns.root.children, strict=True):
        index = batch.schema.get_field_index(name)
        if index < 0 or pa.types.is_null(batch.schema.field(index).type):
            arrays.append(pa.nulls(batch.num_rows, field.type))
        elif batch.schema.field(index).type == field.type and name not in columns.as_text:
            arrays.append(batch.column(index))
        else:
            rows = [{name: value} for value in to_objects(batch.column(index))]
            converter = DocumentConverter(columns.select(((name, type_),)))
            arrays.append(converter.batch(rows).column(0))
            mismatches |= converter.mismatches
    return pa.RecordBatch.from_arrays(arrays, schema=wanted), mismatches
