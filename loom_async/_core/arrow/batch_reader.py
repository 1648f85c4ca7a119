"""One raw batch to Arrow: pymongoarrow decodes what it decodes exactly, Python decodes the rest."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from ..model.hydration import decode_raw_batch
from .arrow_types import Columns, pa
from .bson_conformance import ConformanceCheck, document_offsets
from .document_converter import DocumentConverter
from .mismatches import Mismatch
from .pymongoarrow_decoder import InexactDecoding, decode

# How many documents pymongoarrow decodes in one call, during which it holds the GIL: 2 to 7 ms for
# documents of 300 bytes.
_DECODED_AT_ONCE = 2_000


class BatchReader:
    """Reads a raw batch into a record batch.

    Python decodes the documents that do not conform to the columns, and of the other documents
    those columns that pymongoarrow cannot decode.

    Parameters:
        raw: The documents, one after another in BSON.
        columns: The columns of the record batch.
        check: Whether to check that the documents conform; False trusts that they do.
    """

    def __init__(self, raw: bytes, columns: Columns, *, check: bool = True) -> None:
        self._raw = raw
        self._columns = columns
        self._offsets = document_offsets(raw)
        self._check: ConformanceCheck | None = None
        conforms = np.ones(len(self._offsets), bool)
        if not columns.by_pymongoarrow:
            conforms[:] = False
        elif check or columns.by_python:
            self._check = ConformanceCheck(raw, self._offsets)
            self._check.run(columns.root)
            conforms = self._check.conforms
        self._conforming = np.flatnonzero(conforms)
        self._nonconforming = np.flatnonzero(~conforms)

    @property
    def documents_in_python(self) -> list[dict[str, Any]]:
        """All documents and parts of documents that Python decodes."""
        return self._nonconforming_documents + self._python_columns

    @cached_property
    def _nonconforming_documents(self) -> list[dict[str, Any]]:
        return decode_raw_batch(b"".join(self._slices(self._nonconforming)))

    @cached_property
    def _python_columns(self) -> list[dict[str, Any]]:
        """The conforming documents with nothing but the columns that pymongoarrow cannot decode."""
        if self._check is None or not self._columns.by_python:
            return []
        return decode_raw_batch(self._check.python_columns(self._conforming))

    def read(self) -> tuple[Any, dict[str, Mismatch]]:
        """Return the record batch, and the mismatches by path; their values are null."""
        nonconforming = self._nonconforming
        if not len(self._conforming):
            return self._convert(self._nonconforming_documents, self._columns, nonconforming)
        try:
            batch, mismatches = self._read_conforming()
        except InexactDecoding:
            documents = decode_raw_batch(self._raw)
            return self._convert(documents, self._columns, range(len(documents)))
        if not len(nonconforming):
            return batch, mismatches
        rest, others = self._convert(self._nonconforming_documents, self._columns, nonconforming)
        for path, found in others.items():
            mismatches[path] = found + mismatches[path] if path in mismatches else found
        order = np.argsort(np.concatenate([self._conforming, nonconforming]))
        return pa.concat_batches([batch, rest]).take(pa.array(order)), mismatches

    def _read_conforming(self) -> tuple[Any, dict[str, Mismatch]]:
        """Return the record batch of the conforming documents, and its mismatches."""
        null_structs = self._check.null_structs if self._check is not None else {}
        masks = {path: mask[self._conforming] for path, mask in null_structs.items()}
        columns = self._columns.select(self._columns.by_pymongoarrow)
        batch = decode(self._slices(self._conforming), columns, masks)
        if not self._columns.by_python:
            return batch, {}
        in_python = self._columns.select(self._columns.by_python)
        rest, mismatches = self._convert(self._python_columns, in_python, self._conforming)
        arrays = dict(zip(batch.schema.names, batch.columns, strict=True))
        arrays |= dict(zip(rest.schema.names, rest.columns, strict=True))
        schema = self._columns.schema
        in_order = [arrays[name] for name in schema.names]
        return pa.RecordBatch.from_arrays(in_order, schema=schema), mismatches

    def _convert(
        self, documents: list[dict[str, Any]], columns: Columns, rows: Any
    ) -> tuple[Any, dict[str, Mismatch]]:
        """Convert documents in Python.

        Parameters:
            documents: The documents.
            columns: The columns of the record batch.
            rows: The index of each document in the raw batch.
        """
        converter = DocumentConverter(columns)
        batch = converter.batch(documents)
        for found in converter.mismatches.values():
            found.row = int(rows[found.row])
        return batch, converter.mismatches

    def _slices(self, rows: Any) -> Iterator[bytes]:
        """Yield the bytes of some documents, at most `_DECODED_AT_ONCE` documents at a time."""
        ends = [*self._offsets[1:], len(self._raw)]
        breaks = np.flatnonzero(np.diff(rows) != 1) + 1
        for first, last in pairwise([0, *breaks.tolist(), len(rows)]):
            for begin in range(first, last, _DECODED_AT_ONCE):
                end = min(begin + _DECODED_AT_ONCE, last) - 1
                yield self._raw[self._offsets[rows[begin]] : ends[rows[end]]]
