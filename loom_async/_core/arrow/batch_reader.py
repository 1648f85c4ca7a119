"""One batch of BSON to Arrow: by pymongoarrow what it does not change, by Python all else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from ..model.hydration import decode_stream
from .arrow_types import Columns, pa
from .bson_conformance import Walk, starts_of
from .exact_decoder import ExactDecoder, Mismatch
from .pymongoarrow_decoder import Unfaithful, decode

# Documents that pymongoarrow decodes in one go: of 300 bytes each, Python's lock is held 2 to 7 ms.
_SLICE = 2_000


class Reading:
    """A batch of BSON documents that is to become a record batch.

    Parameters:
        stream: The documents, following one another.
        columns: The columns wanted.
        check: False trusts the documents to be what the columns say.

    Rows that are not what the columns say are odd: they are decoded in Python, value by value, and
    so are columns that pymongoarrow has no type for.
    """

    def __init__(self, stream: bytes, columns: Columns, *, check: bool = True) -> None:
        self._stream = stream
        self._columns = columns
        self._starts = starts_of(stream)
        self._walk: Walk | None = None
        is_odd = np.zeros(len(self._starts), bool)
        if not columns.by_arrow:
            is_odd[:] = True
        elif check or columns.by_python:
            self._walk = Walk(stream, self._starts)
            self._walk.check(columns.root)
            is_odd = self._walk.odd
        self._odd, self._plain = np.flatnonzero(is_odd), np.flatnonzero(~is_odd)

    @cached_property
    def odd(self) -> list[dict[str, Any]]:
        """The documents that are odd."""
        return decode_stream(b"".join(self._runs(self._odd)))

    @cached_property
    def parts(self) -> list[dict[str, Any]]:
        """Of the other documents, what belongs to columns that pymongoarrow has no type for."""
        if self._walk is None or not self._columns.by_python:
            return []
        return decode_stream(self._walk.parts(self._plain))

    def batch(self) -> tuple[Any, dict[str, Mismatch]]:
        """Return the record batch, and by path what fitted no column and is null in it."""
        if not len(self._plain):
            return self._in_python(self.odd, self._columns, range(len(self._odd)))
        try:
            plain, mismatches = self._decoded()
        except Unfaithful:
            everything = decode_stream(self._stream)
            return self._in_python(everything, self._columns, range(len(everything)))
        if not len(self._odd):
            return plain, mismatches
        odd, others = self._in_python(self.odd, self._columns, self._odd.tolist())
        for path, found in others.items():
            mismatches[path] = found + mismatches[path] if path in mismatches else found
        order = np.argsort(np.concatenate([self._plain, self._odd]))
        return pa.concat_batches([plain, odd]).take(pa.array(order)), mismatches

    def _decoded(self) -> tuple[Any, dict[str, Mismatch]]:
        """Return the record batch of the documents that are not odd."""
        columns = self._columns.only(self._columns.by_arrow)
        absent = self._walk.absent if self._walk is not None else {}
        masks = {path: mask[self._plain] for path, mask in absent.items()}
        batch = decode(self._runs(self._plain), columns, masks)
        if not self._columns.by_python:
            return batch, {}
        others = self._columns.only(self._columns.by_python)
        rest, mismatches = self._in_python(self.parts, others, self._plain.tolist())
        found = dict(zip(batch.schema.names, batch.columns, strict=True))
        found |= dict(zip(rest.schema.names, rest.columns, strict=True))
        schema = self._columns.schema
        arrays = [found[name] for name in schema.names]
        return pa.RecordBatch.from_arrays(arrays, schema=schema), mismatches

    def _in_python(
        self, documents: list[dict[str, Any]], columns: Columns, rows: Sequence[int]
    ) -> tuple[Any, dict[str, Mismatch]]:
        decoder = ExactDecoder(columns)
        batch = decoder.batch(documents)
        for found in decoder.mismatches.values():
            found.row = rows[found.row]
        return batch, decoder.mismatches

    def _runs(self, rows: Any) -> Iterator[bytes]:
        """Yield the documents of some rows, as few as one go decodes."""
        ends = [*self._starts[1:], len(self._stream)]
        breaks = np.flatnonzero(np.diff(rows) != 1) + 1
        for first, last in pairwise([0, *breaks.tolist(), len(rows)]):
            for begin in range(first, last, _SLICE):
                end = min(begin + _SLICE, last) - 1
                yield self._stream[self._starts[rows[begin]] : ends[rows[end]]]
