"""Builds an Arrow table, or record batches of one schema, from raw batches."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from ..model.hydration import collector_paused, decode_raw_batch
from .arrow_types import Columns, columns_of, pa
from .batch_reader import BatchReader
from .inference import extend, infer_schema, needs_inference
from .mismatches import Mismatch, OnMismatch, lossy_conversion
from .widening import column_at, recast, widened

#: The key in a table's metadata of the number of values that became null, by path, as JSON.
NULLED = b"loom.nulled"


class TableBuilder:
    """Builds a table from raw batches.

    Columns of undeclared type are extended by every batch. Once `take_batches` has returned record
    batches, the schema no longer changes.

    Parameters:
        schema: The Arrow schema of the table. Columns of type null are inferred; None infers all.
        on_mismatch: What to do with values that do not fit: raise an error, widen the type of the
            column, or replace them by null.
        check: Whether to check that the documents conform; False trusts that they do.
    """

    def __init__(
        self, schema: Any, on_mismatch: OnMismatch = "raise", *, check: bool = True
    ) -> None:
        self._declared: Any = pa.null() if schema is None else pa.struct(list(schema))
        self._columns: Columns = columns_of(schema or pa.schema([]), self._declared)
        self._needs_inference = needs_inference(self._declared)
        self._on_mismatch = on_mismatch
        self._check = check
        self._batches: list[Any] = []
        self._is_schema_final = False
        self._nulled: Counter[str] = Counter()

    def add(self, raw: bytes) -> int:
        """Add a raw batch, and return the number of its documents.

        Raises:
            LossyConversion: A value does not fit its column.
            InvalidDocument: A document cannot be decoded.
        """
        with collector_paused():
            batch, mismatches = self._read(raw)
        if mismatches:
            self._count_nulled(mismatches, lambda: decode_raw_batch(raw))
        self._batches.append(batch)
        return int(batch.num_rows)

    def take_batches(self, rows: int) -> list[Any]:
        """Remove and return as many record batches of a size as the added documents fill."""
        table = self._in_one_schema()
        taken = table.num_rows - table.num_rows % rows
        self._is_schema_final |= taken > 0
        self._batches = table.slice(taken).to_batches()
        batches: list[Any] = table.slice(0, taken).combine_chunks().to_batches(max_chunksize=rows)
        return batches

    def remaining_batches(self) -> list[Any]:
        """Return the remaining documents as one record batch; none if no document remains."""
        batches: list[Any] = self._in_one_schema().combine_chunks().to_batches()
        return batches

    def table(self) -> Any:
        """Return all added documents as one table."""
        table = self._in_one_schema()
        if not self._nulled:
            return table
        return table.replace_schema_metadata({NULLED: json.dumps(self._nulled).encode()})

    def _in_one_schema(self) -> Any:
        """Return all batches as a table, with earlier ones cast to the present schema."""
        index = 0
        while index < len(self._batches):
            batch, mismatches = recast(self._batches[index], self._columns)
            if mismatches and self._can_widen():
                self._widen(mismatches)
                index = 0
                continue
            if mismatches:
                self._count_nulled(mismatches, self._batches[index].to_pylist)
            self._batches[index] = batch
            index += 1
        return pa.Table.from_batches(self._batches, self._columns.schema)

    def _read(self, raw: bytes) -> tuple[Any, dict[str, Mismatch]]:
        """Return a record batch and its mismatches, after extending and widening the schema."""
        while True:
            reader = BatchReader(raw, self._columns, check=self._check)
            can_extend = self._needs_inference and not self._is_schema_final
            if can_extend and self._extend(reader.documents_in_python):
                continue
            batch, mismatches = reader.read()
            if not mismatches or not self._can_widen():
                return batch, mismatches
            self._widen(mismatches)

    def _can_widen(self) -> bool:
        return self._on_mismatch == "widen" and not self._is_schema_final

    def _count_nulled(
        self, mismatches: Mapping[str, Mismatch], documents: Callable[[], list[dict[str, Any]]]
    ) -> None:
        """Count the values that became null.

        Raises:
            LossyConversion: Values may not become null.
        """
        if self._on_mismatch != "null":
            raise lossy_conversion(mismatches, documents())
        for path, found in mismatches.items():
            self._nulled[path] += found.count

    def _extend(self, documents: list[dict[str, Any]]) -> bool:
        """Extend inferred types so that they hold these documents; return whether they changed."""
        if not documents:
            return False
        current = pa.struct(list(self._columns.schema))
        extended = extend(self._declared, current, pa.struct(list(infer_schema(documents))))
        if extended == current:
            return False
        schema = pa.schema(list(extended))
        self._columns = columns_of(schema, self._declared, self._columns.as_text)
        return True

    def _widen(self, mismatches: Mapping[str, Mismatch]) -> None:
        schema, as_text = self._columns.schema, self._columns.as_text
        for path, found in mismatches.items():
            schema, is_text = widened(schema, path, set(found.types))
            if is_text:
                as_text |= {column_at(schema, path) or path}
            if pa.types.is_struct(self._declared):
                # The declared type is widened too, so that `_extend` keeps the wider one.
                declared, _ = widened(pa.schema(list(self._declared)), path, set(found.types))
                self._declared = pa.struct(list(declared))
        self._columns = columns_of(schema, self._declared, as_text)
