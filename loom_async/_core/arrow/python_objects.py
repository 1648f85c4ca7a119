"""Arrow arrays as Python objects: null is None, integers stay integers."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any
from uuid import UUID

from bson import ObjectId

from .arrow_types import OBJECT_ID_TYPE, pa


def to_objects(array: Any) -> list[Any]:
    """Return the values of an array as objects that a document can hold.

    Parameters:
        array: A pyarrow Array.

    Raises:
        ValueError: A struct or map has a name twice, or a time is beyond Python's datetime.
    """
    type_, is_ = array.type, pa.types
    if is_.is_struct(type_):
        return _with_nulls(array, _documents(array))
    if is_.is_list(type_) or is_.is_large_list(type_):
        offsets, first, count = _offsets(array)
        items = to_objects(array.values.slice(first, count))
        return _with_nulls(array, [items[a:b] for a, b in pairwise(offsets)])
    if is_.is_map(type_):
        return _with_nulls(array, _mappings(array))
    if type_ == OBJECT_ID_TYPE:
        return [None if raw is None else ObjectId(raw) for raw in _plain(array.storage)]
    if type_ == pa.uuid():
        return [None if raw is None else UUID(bytes=raw) for raw in _plain(array.storage)]
    if is_.is_timestamp(type_) or is_.is_date32(type_):
        return _datetimes(array)
    if is_.is_dictionary(type_):
        return to_objects(array.dictionary_decode())
    return _plain(array) if any(matches(type_) for matches in _BY_NUMPY) else _by_pyarrow(array)


# The types whose arrays numpy converts to the right Python objects, faster than pyarrow.
_NUMBERS: Any = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)
_TEXTS: Any = (
    pa.types.is_string, pa.types.is_large_string,
    pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary,
)  # fmt: skip
_BY_NUMPY = (*_NUMBERS, *_TEXTS)


def _plain(array: Any) -> list[Any]:
    is_number = any(matches(array.type) for matches in _NUMBERS)
    if array.null_count and is_number:
        return _with_nulls(array, _plain(array.fill_null(False if array.type == pa.bool_() else 0)))
    values: list[Any] = array.to_numpy(zero_copy_only=False).tolist()
    return values


def _datetimes(array: Any) -> list[Any]:
    """Return datetimes in UTC, or dates."""
    values: list[Any] = array.to_numpy(zero_copy_only=False).tolist()
    if any(isinstance(value, int) for value in values):
        # numpy has integers for nanoseconds, and for times beyond Python's datetime, at which
        # pyarrow raises.
        return _by_pyarrow(array)
    if pa.types.is_timestamp(array.type) and array.type.tz is not None:
        return [None if value is None else value.replace(tzinfo=dt.UTC) for value in values]
    return values


def _by_pyarrow(array: Any) -> list[Any]:
    values: list[Any] = array.to_pylist()
    return values


def _with_nulls(array: Any, values: list[Any]) -> list[Any]:
    if array.null_count:
        for row in array.is_null().to_numpy(zero_copy_only=False).nonzero()[0]:
            values[row] = None
    return values


def _documents(array: Any) -> list[Any]:
    names = [field.name for field in array.type]
    if not names:
        return [{} for _ in range(len(array))]
    if len(set(names)) < len(names):
        raise ValueError(f"a struct has a field twice: {', '.join(names)}")
    columns = [to_objects(array.field(index)) for index in range(len(names))]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _mappings(array: Any) -> list[Any]:
    offsets, first, count = _offsets(array)
    keys = to_objects(array.keys.slice(first, count))
    items = to_objects(array.items.slice(first, count))
    mappings = [dict(zip(keys[a:b], items[a:b], strict=True)) for a, b in pairwise(offsets)]
    if sum(map(len, mappings)) < len(keys):
        raise ValueError("a map has a key twice")
    return mappings


def _offsets(array: Any) -> tuple[list[int], int, int]:
    """Return the offsets of a list or map array from 0, and its first item and number of items."""
    offsets = array.offsets.to_numpy()
    first, last = int(offsets[0]), int(offsets[-1])
    starts: list[int] = (offsets - first).tolist()
    return starts, first, last - first
