"""Raw batches to Arrow by pymongoarrow, whose types are then cast to those of the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..bson_codec import CODEC_OPTIONS
from ..optional_libraries import library
from .arrow_types import Columns, ColumnType, pa

_api: Any = library("pymongoarrow.api")
_compute: Any = library("pyarrow.compute")


class _RawBatches:
    """Raw batches that pymongoarrow's `aggregate_arrow_all` takes for a collection."""

    codec_options = CODEC_OPTIONS

    class database:  # noqa: N801 - pymongo's name
        """Has the attributes by which pymongoarrow adds its name to the client's metadata."""

        class client:  # noqa: N801
            """None keeps pymongoarrow from calling it: the metadata names Loom."""

            append_metadata = None

    def __init__(self, batches: Iterable[bytes]) -> None:
        self._batches = batches

    def aggregate_raw_batches(self, pipeline: object, **options: object) -> Iterable[bytes]:
        """Return the batches; the pipeline has run already."""
        return self._batches


class InexactDecoding(Exception):
    """A string is not UTF-8, or a decimal does not fit its type, which only decoding shows."""


def decode(
    batches: Iterable[bytes], columns: Columns, null_structs: Mapping[tuple[str, ...], Any]
) -> Any:
    """Return the record batch of documents that conform to the columns.

    Parameters:
        batches: Raw batches. pymongoarrow releases the GIL between two of them.
        columns: Columns that pymongoarrow can decode.
        null_structs: By path, a mask of the rows in which a struct is null.

    Raises:
        InexactDecoding: A string is not UTF-8, or a decimal does not fit its type.
    """
    types = {name: type_.pymongoarrow_type for name, type_ in columns.root.children}
    table = _api.aggregate_arrow_all(_RawBatches(batches), [], schema=_api.Schema(types))
    arrays = [
        _cast(column, type_, (name,), null_structs)
        for column, (name, type_) in zip(table.columns, columns.root.children, strict=True)
    ]
    batch = pa.RecordBatch.from_arrays(arrays, schema=columns.schema)
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid as error:
        raise InexactDecoding from error
    return batch


def _cast(
    column: Any,
    type_: ColumnType,
    path: tuple[str, ...],
    null_structs: Mapping[tuple[str, ...], Any],
) -> Any:
    """Return a decoded column in its type, with null where a struct is null."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    wanted = type_.arrow_type
    if type_.is_struct:
        children = [
            _cast(array.field(position), child, (*path, name), null_structs)
            for position, (name, child) in enumerate(type_.children)
        ]
        mask = null_structs.get(path)
        return pa.StructArray.from_arrays(
            children, fields=list(wanted), mask=None if mask is None else pa.array(mask)
        )
    if array.type == wanted:
        return array
    if type_.is_list:
        items = _cast(array.values, type_.item, (*path, ""), null_structs)
        list_array = pa.LargeListArray if pa.types.is_large_list(wanted) else pa.ListArray
        offsets = array.offsets
        if list_array is pa.LargeListArray:
            offsets = offsets.cast(pa.int64())
        mask = array.is_null() if array.null_count else None
        return list_array.from_arrays(offsets, items, type=wanted, mask=mask)
    if pa.types.is_decimal128(wanted):
        return _decimals(array.storage, wanted)
    if wanted == pa.uuid():
        storage = array.storage.cast(pa.binary(16))
        return pa.ExtensionArray.from_storage(wanted, storage)
    storage = array.storage if isinstance(array, pa.ExtensionArray) else array
    return storage.cast(wanted)


# IEEE 754-2008 decimal128 in the binary encoding: 1 bit of sign, 14 bits of exponent, and 113 of
# coefficient, 49 of which are in the upper half.
_EXPONENT_BIAS = 6176
_UPPER_COEFFICIENT_BITS = 49


def _decimals(storage: Any, type_: Any) -> Any:
    """Return BSON decimals as an Arrow array of a fixed scale.

    Parameters:
        storage: The 16 bytes of each decimal.
        type_: The decimal128 type of the result.

    Raises:
        InexactDecoding: A decimal has too many digits, or is infinite, NaN or a negative zero.
    """
    count, offset = len(storage), storage.offset
    halves = np.frombuffer(storage.buffers()[1], "<u8")[2 * offset : 2 * (offset + count)]
    lower, upper = halves[0::2], halves[1::2]
    valid = storage.is_valid().to_numpy(zero_copy_only=False)
    negative = (upper >> np.uint64(63)).astype(bool)
    biased = (upper >> np.uint64(_UPPER_COEFFICIENT_BITS)) & np.uint64(0x3FFF)
    exponents = biased.astype(np.int64) - _EXPONENT_BIAS
    coefficient = upper & np.uint64((1 << _UPPER_COEFFICIENT_BITS) - 1)
    is_special = ((upper >> np.uint64(61)) & np.uint64(3)) == 3
    is_negative_zero = negative & (lower == 0) & (coefficient == 0)
    if (valid & (is_special | is_negative_zero)).any():
        raise InexactDecoding
    # Arrow's integers of 128 bits are in two's complement.
    carry = np.where(lower == 0, np.uint64(1), np.uint64(0))
    integers = np.empty(2 * count, "<u8")
    integers[0::2] = np.where(negative, ~lower + np.uint64(1), lower)
    integers[1::2] = np.where(negative, ~coefficient + carry, coefficient)
    result = pa.nulls(count, type_)
    for exponent in np.unique(exponents[valid]):
        rows = valid & (exponents == exponent)
        result = _with_scaled(result, integers, rows, int(exponent))
    return result


def _with_scaled(result: Any, integers: Any, rows: Any, exponent: int) -> Any:
    """Return decimals with those of one exponent set.

    Parameters:
        result: The decimals so far.
        integers: The coefficients of all rows.
        rows: A mask of the rows whose coefficients have this exponent.
        exponent: The power of ten.
    """
    if not -38 <= exponent <= 38:
        raise InexactDecoding
    own_type = pa.decimal128(38, -exponent)
    validity = pa.array(rows).buffers()[1]
    array = pa.Array.from_buffers(own_type, len(rows), [validity, pa.py_buffer(integers)])
    try:
        return _compute.if_else(pa.array(rows), array.cast(result.type), result)
    except pa.ArrowInvalid as error:
        raise InexactDecoding from error
