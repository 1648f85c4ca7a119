"""The conformance check: which documents of a raw batch pymongoarrow decodes without any loss.

The check does not decode values. It goes through all documents together, one field at a time: numpy
compares the name and the type of the field in every document, and advances the offsets. That takes
a fraction of the time of decoding. A document does not conform if it has a value of another BSON
type or binary subtype, NaN in a column of numbers, null in an array of documents or arrays, or a
time of day in a column of dates.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..bson_elements import BINARY, BYTES_BESIDE_LENGTH, DOUBLE, FIXED_SIZES, NULL, elements
from .arrow_types import ColumnType, pa

_LENGTH = struct.Struct("<i")
# Arrays of more items take longer to check than to decode in Python.
_MAX_ITEMS = 256
_MILLISECONDS_OF_DAY = 86_400_000
# Names are compared eight bytes at a time, which may pass the end of the batch.
_MAX_NAME = 1000
_PADDING = bytes(_MAX_NAME + 16)
# A check takes the field order of its first document. Documents of another order are checked again
# in the order of theirs, at most this often, ...
_MAX_ORDERS = 4
# ... unless they are fewer than this: Python decodes them in the time of another check.
_MIN_RECHECKED = 32
Offsets = Any
Rows = Any
Path = tuple[str, ...]


def document_offsets(raw: bytes) -> list[int]:
    """Return the offset of each document of a raw batch."""
    offsets: list[int] = []
    offset, end = 0, len(raw)
    append, length_at = offsets.append, _LENGTH.unpack_from
    while offset < end:
        append(offset)
        offset += length_at(raw, offset)[0]
    return offsets


class ConformanceCheck:
    """A check of one raw batch.

    After `run`, `conforms` is True for the rows whose documents conform. `null_structs` has a mask
    by path for each struct that is null or missing in some rows, True for these rows: pymongoarrow
    decodes it as a struct of nulls there.

    Parameters:
        raw: The documents, one after another in BSON.
        offsets: The offset of each document.
    """

    def __init__(self, raw: bytes, offsets: Sequence[int]) -> None:
        self._raw = raw
        self._starts = np.array(offsets, np.int64)
        padded = raw + _PADDING
        self._bytes = np.frombuffer(padded, np.uint8)
        # The integers that begin at every byte: values in BSON are not aligned.
        self._uint64s = np.ndarray((len(padded) - 7,), "<u8", padded, strides=(1,))
        self._int32s = np.ndarray((len(padded) - 3,), "<i4", padded, strides=(1,))
        # The offset given to documents that do not conform: it reads as the end of a document.
        self._end = len(raw)
        self.conforms = np.zeros(len(offsets), bool)
        self.null_structs: dict[Path, Any] = {}
        self._seen_structs: set[Path] = set()
        self._python_elements: dict[str, tuple[Offsets, Offsets]] = {}

    def run(self, root: ColumnType) -> None:
        """Check all documents.

        Parameters:
            root: The type of a whole document.
        """
        rows = np.arange(len(self._starts))
        for _ in range(_MAX_ORDERS):
            if not len(rows):
                return
            self.conforms[rows] = True
            self._seen_structs.clear()
            self._checked_rows = rows
            self._check_documents(self._starts[rows], root, (), rows)
            left = rows[~self.conforms[rows]]
            if len(left) < _MIN_RECHECKED or len(left) == len(rows):
                return
            rows = left

    def python_columns(self, rows: Rows) -> bytes:
        """Return documents of nothing but the columns that pymongoarrow cannot decode.

        Parameters:
            rows: The rows to return, which conform.
        """
        raw, pack = self._raw, _LENGTH.pack
        columns = [
            [raw[start:end] for start, end in zip(starts[rows], ends[rows], strict=True)]
            for starts, ends in self._python_elements.values()
        ]
        bodies = map(b"".join, zip(*columns, strict=True))
        return b"".join([pack(len(body) + 5) + body + b"\0" for body in bodies])

    # In the methods below, `rows` has the rows of the documents, elements or values at `offsets`,
    # and `path` is None inside an array.

    def _check_documents(
        self, offsets: Offsets, type_: ColumnType, path: Path | None, rows: Rows
    ) -> None:
        order = self._field_order(int(offsets[0]), type_)
        if order is None:
            self.conforms[rows] = False
            return
        offsets = offsets + 4
        for name, child in order:
            offsets = self._check_field(offsets, name, child, path, rows)
        self.conforms[rows[self._bytes[offsets] != 0]] = False

    def _field_order(
        self, offset: int, type_: ColumnType
    ) -> list[tuple[str, ColumnType | None]] | None:
        """Return the fields in the order of a document, with those that it lacks in between.

        Fields that are no columns have the type None. The order itself is None if the document
        does not conform: it has a field twice, or one that a closed struct lacks.
        """
        order = [name for name, *_ in elements(self._raw, offset)]
        present = set(order)
        known = dict(type_.children)
        if len(present) < len(order) or (type_.is_closed and not known.keys() >= present):
            return None
        position = 0
        for name in known:
            if name in present:
                position = order.index(name) + 1
            else:
                order.insert(position, name)
                position += 1
        if any(len(name.encode()) >= _MAX_NAME for name in order):
            return None
        return [(name, known.get(name)) for name in order]

    def _check_field(
        self, offsets: Offsets, name: str, type_: ColumnType | None, path: Path | None, rows: Rows
    ) -> Offsets:
        """Check a field where it is the next element; return the offsets of what follows it."""
        key = name.encode() + b"\0"
        has_field = self._has_name(offsets, key)
        field_path = None if path is None else (*path, name)
        if has_field.all():
            ends = self._check_values(offsets, len(key), type_, field_path, rows)
        else:
            present = np.flatnonzero(has_field)
            if type_ is not None and type_.is_struct and type_.pymongoarrow_type is not None:
                self._record_nulls(field_path, rows, present)
            ends = offsets.copy()
            if len(present):
                ends[present] = self._check_values(
                    offsets[present], len(key), type_, field_path, rows[present]
                )
        if path == () and type_ is not None and type_.pymongoarrow_type is None:
            self._record_elements(name, rows, offsets, ends)
        return ends

    def _has_name(self, offsets: Offsets, key: bytes) -> Any:
        """Return whether an element with this name begins at each offset."""
        is_named = self._bytes[offsets] != 0
        for start in range(0, len(key), 8):
            part = key[start : start + 8]
            mask = (1 << 8 * len(part)) - 1
            words = self._uint64s[offsets + (1 + start)]
            is_named &= (words & np.uint64(mask)) == np.uint64(int.from_bytes(part, "little"))
        return is_named

    def _check_values(
        self,
        offsets: Offsets,
        key_length: int,
        type_: ColumnType | None,
        path: Path | None,
        rows: Rows,
    ) -> Offsets:
        """Check the values of elements; return the offsets of the elements after them."""
        bson_types = self._bytes[offsets]
        values = offsets + (1 + key_length)
        if type_ is None or type_.pymongoarrow_type is None:
            return self._skip(values, bson_types, rows)
        nulls = bson_types == NULL
        if not nulls.any():
            return self._check_present(values, bson_types, type_, path, rows)
        present = np.flatnonzero(~nulls)
        if type_.is_struct:
            self._record_nulls(path, rows, present)
        elif type_.is_list and path is None:
            self.conforms[rows[nulls]] = False
        ends = values.copy()
        if len(present):
            ends[present] = self._check_present(
                values[present], bson_types[present], type_, path, rows[present]
            )
        return ends

    def _check_present(
        self, values: Offsets, bson_types: Any, type_: ColumnType, path: Path | None, rows: Rows
    ) -> Offsets:
        """Check values other than null; return where they end."""
        fits = self._fits(values, bson_types, type_)
        if fits.all():
            return self._check_nested(values, bson_types, type_, path, rows)
        self.conforms[rows[~fits]] = False
        ends = np.full(len(values), self._end, np.int64)
        fitting = np.flatnonzero(fits)
        if len(fitting):
            ends[fitting] = self._check_nested(
                values[fitting], bson_types[fitting], type_, path, rows[fitting]
            )
        return ends

    def _fits(self, values: Offsets, bson_types: Any, type_: ColumnType) -> Any:
        """Return whether each value fits its column, not looking into documents and arrays."""
        usual, *others = type_.bson_types
        fits = bson_types == usual
        if usual == BINARY:
            fits &= self._bytes[values + 4] == type_.subtype
        elif usual == DOUBLE:
            fits &= ~np.isnan(self._uint64s[values].view("<f8"))
        elif pa.types.is_date32(type_.arrow_type):
            fits &= self._uint64s[values].view("<i8") % _MILLISECONDS_OF_DAY == 0
        if others and not fits.all():
            for other in others:
                fits |= bson_types == other
        return fits

    def _check_nested(
        self, values: Offsets, bson_types: Any, type_: ColumnType, path: Path | None, rows: Rows
    ) -> Offsets:
        """Check the content of documents and arrays; return where the values end."""
        usual = type_.bson_types[0]
        if usual in FIXED_SIZES:
            is_usual = bson_types == usual
            if is_usual.all():
                return values + FIXED_SIZES[usual]
            return values + _SIZES[bson_types]
        lengths = self._int32s[values]
        if type_.is_struct:
            self._check_documents(values, type_, path, rows)
        elif type_.is_list:
            self._check_arrays(values, lengths, type_.item, rows)
        return values + lengths + BYTES_BESIDE_LENGTH[usual]

    def _check_arrays(self, offsets: Offsets, lengths: Any, item: ColumnType, rows: Rows) -> None:
        ends = offsets + lengths - 1
        offsets = offsets + 4
        index = 0
        while True:
            has_more = offsets < ends
            if not has_more.all():
                offsets, ends, rows = offsets[has_more], ends[has_more], rows[has_more]
            if not len(offsets):
                return
            key = str(index).encode() + b"\0"
            is_next = self._has_name(offsets, key)
            if index == _MAX_ITEMS:
                is_next[:] = False
            if not is_next.all():
                self.conforms[rows[~is_next]] = False
                offsets, ends, rows = offsets[is_next], ends[is_next], rows[is_next]
            if len(offsets):
                offsets = self._check_values(offsets, len(key), item, None, rows)
            index += 1

    def _record_nulls(self, path: Path | None, rows: Rows, present: Any) -> None:
        """Record in which rows a struct is null or missing; inside an array it does not conform.

        Parameters:
            path: The path of the struct.
            rows: The rows in which its parent is present.
            present: The positions in `rows` at which the struct is present too.
        """
        is_null = np.ones(len(rows), bool)
        is_null[present] = False
        if path is None:
            self.conforms[rows[is_null]] = False
            return
        mask = self.null_structs.setdefault(path, np.zeros(len(self._starts), bool))
        if path not in self._seen_structs:
            mask[self._checked_rows] = True
            self._seen_structs.add(path)
        mask[rows] = is_null

    def _record_elements(self, name: str, rows: Rows, starts: Offsets, ends: Offsets) -> None:
        """Record where the elements of a column that pymongoarrow cannot decode begin and end."""
        zeros = np.zeros(len(self._starts), np.int64)
        all_starts, all_ends = self._python_elements.setdefault(name, (zeros, zeros.copy()))
        all_starts[rows] = starts
        all_ends[rows] = ends

    def _skip(self, values: Offsets, bson_types: Any, rows: Rows) -> Offsets:
        """Return where values end whose content does not matter."""
        sizes = _SIZES[bson_types]
        ends = values + np.where(_HAS_LENGTH[bson_types], self._int32s[values] + sizes, sizes)
        is_unknown = sizes == _UNKNOWN
        if is_unknown.any():
            self.conforms[rows[is_unknown]] = False
            ends[is_unknown] = self._end
        return ends


# By BSON type: the bytes of a value, or where it begins with a length, the bytes beside that.
# Regular expressions and types that MongoDB does not have are left to Python.
_UNKNOWN = -1
_SIZES = np.full(256, _UNKNOWN, np.int64)
_HAS_LENGTH = np.zeros(256, bool)
for _type, _size in (FIXED_SIZES | BYTES_BESIDE_LENGTH).items():
    _SIZES[_type] = _size
    _HAS_LENGTH[_type] = _type in BYTES_BESIDE_LENGTH
