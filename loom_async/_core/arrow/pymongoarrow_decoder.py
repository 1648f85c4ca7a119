"""Batches of BSON to Arrow by pymongoarrow, and its types to those of the result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..bson_codec import CODEC_OPTIONS
from ..optional_libraries import library
from .arrow_types import Columns, Node, pa

_api: Any = library("pymongoarrow.api")
_compute: Any = library("pyarrow.compute")


class _Batches:
    """Raw batches in the form of a collection, which is what `aggregate_arrow_all` reads from."""

    codec_options = CODEC_OPTIONS

    class database:  # noqa: N801 - pymongo's name
        """Stands where pymongoarrow looks for a client to leave its name with."""

        class client:  # noqa: N801
            """The name is left by Loom's own."""

            append_metadata = None

    def __init__(self, streams: Iterable[bytes]) -> None:
        self._streams = streams

    def aggregate_raw_batches(self, pipeline: object, **options: object) -> Iterable[bytes]:
        """Return the batches: the pipeline has run."""
        return self._streams


class Unfaithful(Exception):
    """A string is no UTF-8, or a decimal does not fit its type: only decoding tells."""


def decode(
    streams: Iterable[bytes], columns: Columns, absent: Mapping[tuple[str, ...], Any]
) -> Any:
    """Return the record batch of BSON documents that are what the columns say.

    Parameters:
        streams: Documents that follow one another. Other threads have their turn between two.
        columns: What they hold, as far as pymongoarrow can decode it.
        absent: A mask for each struct that is null in some rows.

    Raises:
        Unfaithful: A string is no UTF-8, or a decimal does not fit its type.
    """
    names = _api.Schema({name: node.wire for name, node in columns.root.children})
    table = _api.aggregate_arrow_all(_Batches(streams), [], schema=names)
    arrays = [
        _finished(column, node, (name,), absent)
        for column, (name, node) in zip(table.columns, columns.root.children, strict=True)
    ]
    batch = pa.RecordBatch.from_arrays(arrays, schema=columns.schema)
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid as error:
        raise Unfaithful from error
    return batch


def _finished(
    column: Any, node: Node, path: tuple[str, ...], absent: Mapping[tuple[str, ...], Any]
) -> Any:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if node.is_struct:
        children = [
            _finished(array.field(place), child, (*path, name), absent)
            for place, (name, child) in enumerate(node.children)
        ]
        mask = absent.get(path)
        return pa.StructArray.from_arrays(
            children, fields=list(node.type), mask=None if mask is None else pa.array(mask)
        )
    if array.type == node.type:
        return array
    if node.is_list:
        items = _finished(array.values, node.item, (*path, ""), absent)
        make = pa.LargeListArray if pa.types.is_large_list(node.type) else pa.ListArray
        offsets = array.offsets.cast(pa.int64()) if make is pa.LargeListArray else array.offsets
        mask = array.is_null() if array.null_count else None
        return make.from_arrays(offsets, items, type=node.type, mask=mask)
    if pa.types.is_decimal128(node.type):
        return _decimals(array.storage, node.type)
    if node.type == pa.uuid():
        storage = array.storage.cast(pa.binary(16))
        return pa.ExtensionArray.from_storage(node.type, storage)
    plain = array.storage if isinstance(array, pa.ExtensionArray) else array
    return plain.cast(node.type)


# IEEE 754-2008 decimal128, binary integer encoding: sign, 14 bits of exponent, 113 of coefficient.
_BIAS = 6176
_HIGH_BITS = 49


def _decimals(storage: Any, type_: Any) -> Any:
    """Return numbers of a fixed scale.

    Raises:
        Unfaithful: One has more digits, is infinite or no number, or is a negative zero.
    """
    count, offset = len(storage), storage.offset
    halves = np.frombuffer(storage.buffers()[1], "<u8")[2 * offset : 2 * (offset + count)]
    low, high = halves[0::2], halves[1::2]
    valid = storage.is_valid().to_numpy(zero_copy_only=False)
    negative = (high >> np.uint64(63)).astype(bool)
    exponents = ((high >> np.uint64(_HIGH_BITS)) & np.uint64(0x3FFF)).astype(np.int64) - _BIAS
    coefficient = high & np.uint64((1 << _HIGH_BITS) - 1)
    is_special = ((high >> np.uint64(61)) & np.uint64(3)) == 3
    is_negative_zero = negative & (low == 0) & (coefficient == 0)
    if (valid & (is_special | is_negative_zero)).any():
        raise Unfaithful
    # Two's complement of the 128 bits.
    carry = np.where(low == 0, np.uint64(1), np.uint64(0))
    numbers = np.empty(2 * count, "<u8")
    numbers[0::2] = np.where(negative, ~low + np.uint64(1), low)
    numbers[1::2] = np.where(negative, ~coefficient + carry, coefficient)
    result = pa.nulls(count, type_)
    for exponent in np.unique(exponents[valid]):
        rows = valid & (exponents == exponent)
        result = _placed(result, numbers, rows, int(exponent), type_)
    return result


def _placed(result: Any, numbers: Any, rows: Any, exponent: int, type_: Any) -> Any:
    if not -38 <= exponent <= 38:
        raise Unfaithful
    own = pa.decimal128(38, -exponent)
    validity = pa.array(rows).buffers()[1]
    array = pa.Array.from_buffers(own, len(rows), [validity, pa.py_buffer(numbers)])
    try:
        return _compute.if_else(pa.array(rows), array.cast(type_), result)
    except pa.ArrowInvalid as error:
        raise Unfaithful from error
