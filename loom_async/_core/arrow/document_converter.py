"""Documents to Arrow in Python, value by value, where pymongoarrow would fail or change a value.

No value is changed: one that its column cannot hold exactly is recorded as a mismatch.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from decimal import Decimal, DecimalException, localcontext
from typing import Any
from uuid import UUID

from bson import ObjectId
from bson.binary import UuidRepresentation
from bson.decimal128 import Decimal128
from bson.json_util import JSONMode, JSONOptions, dumps

from ..types.values import to_bson
from .arrow_types import OBJECT_ID_TYPE, Columns, ColumnType, pa
from .mismatches import Mismatch

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_MAX_EXACT_IN_DOUBLE = 2**53
# Returned by converters for a value that the type cannot hold.
_MISFIT = object()
_JSON = JSONOptions(
    json_mode=JSONMode.RELAXED, uuid_representation=UuidRepresentation.STANDARD, tz_aware=True
)


class DocumentConverter:
    """Converts decoded documents into a record batch.

    After `batch`, `mismatches` has the mismatches by path; their values are null in the batch.

    Parameters:
        columns: The columns of the batch.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self.mismatches: dict[str, Mismatch] = {}

    def batch(self, documents: Sequence[dict[str, Any]]) -> Any:
        """Return the record batch of some documents."""
        rows = range(len(documents))
        self._check_fields(self._columns.root, documents, rows, "")
        arrays = [
            self._array(type_, [document.get(name) for document in documents], rows, name)
            for name, type_ in self._columns.root.children
        ]
        if not arrays:
            return pa.RecordBatch.from_struct_array(pa.array([{}] * len(documents), pa.struct([])))
        return pa.RecordBatch.from_arrays(arrays, schema=self._columns.schema)

    # `rows` has the index of the document of each value: an array has many values of one document.

    def _array(
        self, type_: ColumnType, values: Sequence[Any], rows: Sequence[int], path: str
    ) -> Any:
        if type_.is_struct:
            return self._structs(type_, values, rows, path)
        if type_.is_list:
            return self._lists(type_, values, rows, path)
        if pa.types.is_map(type_.arrow_type):
            return self._maps(type_, values, rows, path)
        return self._scalars(type_.arrow_type, values, rows, path)

    def _scalars(
        self, arrow_type: Any, values: Sequence[Any], rows: Sequence[int], path: str
    ) -> Any:
        convert = _text if path in self._columns.as_text else _converter(arrow_type)
        converted: list[Any] = []
        for value, row in zip(values, rows, strict=True):
            result = None if value is None else convert(value)
            if result is _MISFIT:
                self._add_mismatch(path, value, row, arrow_type)
                result = None
            converted.append(result)
        storage = pa.array(converted, _storage_type(arrow_type))
        if isinstance(arrow_type, pa.BaseExtensionType):
            return pa.ExtensionArray.from_storage(arrow_type, storage)
        return storage

    def _structs(
        self, type_: ColumnType, values: Sequence[Any], rows: Sequence[int], path: str
    ) -> Any:
        documents = self._only(dict, type_, values, rows, path)
        self._check_fields(type_, documents, rows, f"{path}.")
        children = [
            self._array(
                child,
                [None if d is None else d.get(name) for d in documents],
                rows,
                f"{path}.{name}",
            )
            for name, child in type_.children
        ]
        if not children:
            return pa.array([None if d is None else {} for d in documents], type_.arrow_type)
        mask = pa.array([document is None for document in documents], pa.bool_())
        return pa.StructArray.from_arrays(children, fields=list(type_.arrow_type), mask=mask)

    def _lists(
        self, type_: ColumnType, values: Sequence[Any], rows: Sequence[int], path: str
    ) -> Any:
        lists = self._only(list, type_, values, rows, path)
        items = [item for found in lists for item in found or ()]
        item_rows = [row for found, row in zip(lists, rows, strict=True) for _ in found or ()]
        array = self._array(type_.item, items, item_rows, f"{path}[]")
        is_large = bool(pa.types.is_large_list(type_.arrow_type))
        list_array = pa.LargeListArray if is_large else pa.ListArray
        offsets, mask = _offsets(lists, pa.int64() if is_large else pa.int32())
        return list_array.from_arrays(offsets, array, type=type_.arrow_type, mask=mask)

    def _maps(
        self, type_: ColumnType, values: Sequence[Any], rows: Sequence[int], path: str
    ) -> Any:
        maps: list[dict[str, Any] | None] = self._only(dict, type_, values, rows, path)
        entries = [
            (key, item, row)
            for found, row in zip(maps, rows, strict=True)
            if found
            for key, item in found.items()
        ]
        keys = pa.array([key for key, _, _ in entries], pa.string())
        item_rows = [row for _, _, row in entries]
        items = self._array(type_.item, [item for _, item, _ in entries], item_rows, f"{path}.*")
        offsets, mask = _offsets(maps, pa.int32())
        return pa.MapArray.from_arrays(offsets, keys, items, type=type_.arrow_type, mask=mask)

    def _check_fields(
        self,
        type_: ColumnType,
        documents: Sequence[dict[str, Any] | None],
        rows: Sequence[int],
        prefix: str,
    ) -> None:
        """Record the fields that an inferred struct lacks as mismatches."""
        if type_.is_closed:
            known = dict(type_.children)
            for document, row in zip(documents, rows, strict=True):
                for name, value in (document or {}).items():
                    if name not in known:
                        self._add_mismatch(f"{prefix}{name}", value, row, pa.null())

    def _only(
        self, class_: type, type_: ColumnType, values: Sequence[Any], rows: Sequence[int], path: str
    ) -> list[Any]:
        """Return the values of one class, with None in place of all others."""
        kept: list[Any] = []
        for value, row in zip(values, rows, strict=True):
            fits = value is None or type(value) is class_
            if not fits:
                self._add_mismatch(path, value, row, type_.arrow_type)
            kept.append(value if fits else None)
        return kept

    def _add_mismatch(self, path: str, value: Any, row: int, wanted: Any) -> None:
        self.mismatches.setdefault(path, Mismatch(wanted, row=row)).add(value)


def _offsets(values: Sequence[Any], offset_type: Any) -> tuple[Any, Any]:
    """Return where the items of each list or map begin, and a mask of those that are null."""
    offsets = [0]
    for value in values:
        offsets.append(offsets[-1] + len(value or ()))
    mask = pa.array([value is None for value in values], pa.bool_())
    return pa.array(offsets, offset_type), mask


def _integer(bits: int) -> Callable[[Any], Any]:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1)

    def convert(value: Any) -> Any:
        if isinstance(value, float) and value.is_integer() and abs(value) <= _MAX_EXACT_IN_DOUBLE:
            if not value and math.copysign(1, value) < 0:
                return _MISFIT  # integers have no -0
            value = int(value)
        is_integer = isinstance(value, int) and not isinstance(value, bool)
        return value if is_integer and low <= value < high else _MISFIT

    return convert


def _double(value: Any) -> Any:
    if isinstance(value, float):
        return value
    is_exact = isinstance(value, int) and abs(value) <= _MAX_EXACT_IN_DOUBLE
    return float(value) if is_exact and not isinstance(value, bool) else _MISFIT


def _text(value: Any) -> Any:
    """Return a string unchanged, any other value as relaxed Extended JSON."""
    return value if type(value) is str else dumps(to_bson(value), json_options=_JSON)


def _date(value: Any) -> Any:
    if type(value) is dt.date:
        return value
    if not isinstance(value, dt.datetime) or value.time() != dt.time():
        return _MISFIT
    return value.date()


def _timestamp(value: Any) -> Any:
    if type(value) is dt.date:
        value = dt.datetime.combine(value, dt.time(tzinfo=dt.UTC))
    if not isinstance(value, dt.datetime):
        return _MISFIT
    # An integer: pyarrow converts datetimes more slowly.
    return (value - _EPOCH) // dt.timedelta(milliseconds=1)


def _duration(value: Any) -> Any:
    return value // _MICROSECOND if isinstance(value, dt.timedelta) else _integer(64)(value)


def _decimal(precision: int, scale: int) -> Callable[[Any], Any]:
    quantum = Decimal(1).scaleb(-scale)

    def convert(value: Any) -> Any:
        if not isinstance(value, Decimal | Decimal128):
            return _MISFIT
        number = value.to_decimal() if isinstance(value, Decimal128) else value
        if not number.is_finite() or (not number and number.is_signed()):
            return _MISFIT
        with localcontext(prec=precision):
            try:
                exact = number.quantize(quantum)
            except DecimalException:
                return _MISFIT
        return exact if exact == number else _MISFIT

    return convert


def _exactly(class_: type) -> Callable[[Any], Any]:
    return lambda value: value if type(value) is class_ else _MISFIT


def _converter(type_: Any) -> Callable[[Any], Any]:
    if pa.types.is_decimal128(type_):
        return _decimal(type_.precision, type_.scale)
    if type_ == OBJECT_ID_TYPE:
        return lambda value: value.binary if isinstance(value, ObjectId) else _MISFIT
    if type_ == pa.uuid():
        return lambda value: value.bytes if isinstance(value, UUID) else _MISFIT
    return next(convert for matches, convert in _CONVERTERS if matches(type_))


_CONVERTERS: tuple[tuple[Callable[[Any], bool], Callable[[Any], Any]], ...] = (
    (pa.types.is_null, lambda value: _MISFIT),
    (pa.types.is_boolean, _exactly(bool)),
    (pa.types.is_int32, _integer(32)),
    (pa.types.is_int64, _integer(64)),
    (pa.types.is_float64, _double),
    (lambda t: t == pa.duration("us"), _duration),
    (pa.types.is_date32, _date),
    (pa.types.is_timestamp, _timestamp),
    (lambda t: pa.types.is_string(t) or pa.types.is_large_string(t), _exactly(str)),
    (lambda t: pa.types.is_binary(t) or pa.types.is_large_binary(t), _exactly(bytes)),
)


def _storage_type(type_: Any) -> Any:
    return type_.storage_type if isinstance(type_, pa.BaseExtensionType) else type_
