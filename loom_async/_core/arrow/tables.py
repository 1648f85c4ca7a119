"""Batches of BSON become one table: fast where that loses nothing, exactly everywhere else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

from ..errors import LossyConversion
from ..model.hydration import collector_paused, decode_stream
from .arrow_types import Columns, columns_of, pa
from .batch_reader import Reading
from .exact_decoder import Mismatch
from .inference import fill, infer_schema, is_open
from .widening import column_at, recast, widened

OnMismatch: TypeAlias = Literal["raise", "widen", "null"]
NULLED = b"loom.nulled"


class TableBuilder:
    """Turns raw batches into record batches, and these into a table.

    Parameters:
        schema: The Arrow schema wanted; null types in it, or None for all of it, are inferred.
        on_mismatch: What becomes of values that do not fit: an error, a wider type, or null.
        check: False trusts the documents to be what the schema says.

    Once `take` has given batches away, the schema stays as it is.
    """

    def __init__(
        self, schema: Any, on_mismatch: OnMismatch = "raise", *, check: bool = True
    ) -> None:
        self._declared: Any = pa.null() if schema is None else pa.struct(list(schema))
        self._columns: Columns = columns_of(schema or pa.schema([]), self._declared)
        self._is_open = is_open(self._declared)
        self._on_mismatch = on_mismatch
        self._check = check
        self._batches: list[Any] = []
        self._has_given = False
        self._nulled: Counter[str] = Counter()

    def add(self, stream: bytes) -> int:
        """Take a batch of documents that follow one another, and return how many they are.

        Raises:
            LossyConversion: A value does not fit its column.
            InvalidDocument: A document cannot be read at all.
        """
        with collector_paused():
            batch, mismatches = self._read(stream)
        if mismatches:
            self._note(mismatches, lambda: decode_stream(stream))
        self._batches.append(batch)
        return int(batch.num_rows)

    def take(self, rows: int) -> list[Any]:
        """Return what there is of record batches of a size, and keep what is too little for one."""
        merged = self._merged()
        whole = merged.num_rows - merged.num_rows % rows
        self._has_given |= whole > 0
        self._batches = merged.slice(whole).to_batches()
        batches: list[Any] = merged.slice(0, whole).combine_chunks().to_batches(max_chunksize=rows)
        return batches

    def rest(self) -> list[Any]:
        """Return what is left as one record batch at most."""
        batches: list[Any] = self._merged().combine_chunks().to_batches()
        return batches

    def table(self) -> Any:
        """Return what has been added as one table."""
        table = self._merged()
        if not self._nulled:
            return table
        return table.replace_schema_metadata({NULLED: json.dumps(self._nulled).encode()})

    def _merged(self) -> Any:
        """Return all batches in the types that they have come to."""
        place = 0
        while place < len(self._batches):
            batch, mismatches = recast(self._batches[place], self._columns)
            if mismatches and self._is_widened(mismatches):
                place = 0
                continue
            if mismatches:
                self._note(mismatches, self._batches[place].to_pylist)
            self._batches[place] = batch
            place += 1
        return pa.Table.from_batches(self._batches, self._columns.schema)

    def _read(self, stream: bytes) -> tuple[Any, dict[str, Mismatch]]:
        """Return a batch in types that hold it, as far as they may grow, and what did not fit."""
        while True:
            reading = Reading(stream, self._columns, check=self._check)
            if self._has_grown(reading.odd + reading.parts):
                continue
            batch, mismatches = reading.batch()
            if not mismatches or not self._is_widened(mismatches):
                return batch, mismatches

    def _is_widened(self, mismatches: Mapping[str, Mismatch]) -> bool:
        if self._on_mismatch != "widen" or self._has_given:
            return False
        self._widen(mismatches)
        return True

    def _note(
        self, mismatches: Mapping[str, Mismatch], documents: Callable[[], list[dict[str, Any]]]
    ) -> None:
        """Count what has become null, or fail."""
        if self._on_mismatch != "null":
            raise _lossy(mismatches, documents())
        for path, found in mismatches.items():
            self._nulled[path] += found.count

    def _has_grown(self, documents: list[dict[str, Any]]) -> bool:
        """Have the types that were left open hold these documents as well."""
        if not documents or not self._is_open or self._has_given:
            return False
        current = pa.struct(list(self._columns.schema))
        grown = fill(self._declared, current, pa.struct(list(infer_schema(documents))))
        if grown == current:
            return False
        self._columns = columns_of(pa.schema(list(grown)), self._declared, self._columns.texts)
        return True

    def _widen(self, mismatches: Mapping[str, Mismatch]) -> None:
        schema, texts = self._columns.schema, self._columns.texts
        for path, found in mismatches.items():
            schema, is_text = widened(schema, path, set(found.types))
            if is_text:
                texts |= {column_at(schema, path) or path}
            if pa.types.is_struct(self._declared):
                # What was declared gives way, so that further batches do not bring it back.
                declared, _ = widened(pa.schema(list(self._declared)), path, set(found.types))
                self._declared = pa.struct(list(declared))
        self._columns = columns_of(schema, self._declared, texts)


def _lossy(mismatches: Mapping[str, Mismatch], documents: list[dict[str, Any]]) -> LossyConversion:
    path, found = min(mismatches.items(), key=lambda item: item[1].row)
    types = sorted(found.types)
    others = f"; so do {', '.join(sorted(set(mismatches) - {path}))}" if len(mismatches) > 1 else ""
    id = documents[found.row].get("_id")
    values = ", ".join(f"{value!r:.60}" for value in found.types.values())
    return LossyConversion(
        f"{path} holds {' and '.join(types)} ({values}) that a column of {found.wanted} cannot "
        f"hold exactly: {found.count} in this batch, first in the document of _id {id!r}{others}",
        field=path,
        types=types,
        id=id,
        hint='on_mismatch="widen" gives the column a type that holds both, "null" leaves such '
        "values out and counts them; get_arrow_schema() can say another type",
    )
