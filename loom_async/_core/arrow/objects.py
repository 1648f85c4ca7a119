"""Arrow columns as Python objects, a column at a time: nulls are None, numbers keep their type."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any
from uuid import UUID

from bson import ObjectId

from .nodes import OBJECT_ID_TYPE, pa


def to_objects(array: Any) -> list[Any]:
    """Return the values of an array as the objects that a document holds.

    Parameters:
        array: A pyarrow Array of any type that a table of Loom has.
    """
    type_, is_ = array.type, pa.types
    if is_.is_struct(type_):
        return _with_nulls(array, _documents(array))
    if is_.is_list(type_) or is_.is_large_list(type_):
        items = to_objects(array.flatten())
        return _with_nulls(array, [items[a:b] for a, b in pairwise(_offsets(array))])
    if is_.is_map(type_):
        return _with_nulls(array, _mappings(array))
    if type_ == OBJECT_ID_TYPE:
        return [None if raw is None else ObjectId(raw) for raw in _plain(array.storage)]
    if type_ == pa.uuid():
        return [None if raw is None else UUID(bytes=raw) for raw in _plain(array.storage)]
    if is_.is_timestamp(type_) or is_.is_date32(type_):
        return _moments(array)
    if is_.is_dictionary(type_):
        return to_objects(array.dictionary_decode())
    return _plain(array) if any(accepts(type_) for accepts in _BY_NUMPY) else _listed(array)


# Types whose arrays numpy turns into lists of the right objects, when they have no nulls.
_NUMBERS: Any = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)
_TEXTS: Any = (
    pa.types.is_string, pa.types.is_large_string,
    pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary,
)  # fmt: skip
_BY_NUMPY = (*_NUMBERS, *_TEXTS)


def _plain(array: Any) -> list[Any]:
    is_number = any(accepts(array.type) for accepts in _NUMBERS)
    if array.null_count and is_number:
        return _with_nulls(array, _plain(array.fill_null(False if array.type == pa.bool_() else 0)))
    values: list[Any] = array.to_numpy(zero_copy_only=False).tolist()
    return values


def _moments(array: Any) -> list[Any]:
    """Return datetimes in UTC, or dates; those that Python has none for fail as pyarrow's do."""
    values: list[Any] = array.to_numpy(zero_copy_only=False).tolist()
    if any(isinstance(value, int) for value in values):
        # Of nanoseconds, or out of Python's range.
        return _listed(array)
    if pa.types.is_timestamp(array.type) and array.type.tz is not None:
        return [None if value is None else value.replace(tzinfo=dt.UTC) for value in values]
    return values


def _listed(array: Any) -> list[Any]:
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
    columns = [to_objects(array.field(place)) for place in range(len(names))]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _mappings(array: Any) -> list[Any]:
    offsets = _offsets(array)
    keys = to_objects(array.keys)
    items = to_objects(array.items)
    return [dict(zip(keys[a:b], items[a:b], strict=True)) for a, b in pairwise(offsets)]


def _offsets(array: Any) -> list[int]:
    """Return where each row's items begin in the flattened items, and their end."""
    lengths = array.offsets.to_numpy()
    if not pa.types.is_map(array.type) and array.null_count:
        # A null row's items are left out of the flattened ones, and it has none of its own.
        sizes = lengths[1:] - lengths[:-1]
        sizes[array.is_null().to_numpy(zero_copy_only=False)] = 0
        ends: list[int] = [0, *sizes.cumsum().tolist()]
        return ends
    first = 0 if pa.types.is_map(array.type) else lengths[0]
    starts: list[int] = (lengths - first).tolist()
    return starts
