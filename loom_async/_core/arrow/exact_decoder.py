"""Documents to Arrow in Python, value by value: for what pymongoarrow would lose, or not take.

Every value either becomes itself or is noted as a mismatch; none is changed.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, DecimalException, localcontext
from typing import Any
from uuid import UUID

from bson import ObjectId
from bson.binary import Binary, UuidRepresentation
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.json_util import JSONMode, JSONOptions, dumps

from ..types.values import to_bson
from .arrow_types import OBJECT_ID_TYPE, Columns, Node, pa

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_EXACT_IN_DOUBLE = 2**53
_NO_VALUE = object()
_JSON = JSONOptions(
    json_mode=JSONMode.RELAXED, uuid_representation=UuidRepresentation.STANDARD, tz_aware=True
)


@dataclass
class Mismatch:
    """What was found at one path beside the type that it has.

    Parameters:
        wanted: The Arrow type.
        types: The names of the BSON types found, each with a value.
        row: The first document's place among those given.
        count: How many values.
    """

    wanted: Any
    types: dict[str, Any] = field(default_factory=dict[str, Any])
    row: int = 0
    count: int = 0

    def __add__(self, other: Mismatch) -> Mismatch:
        """Return what was found at the path here and there."""
        types = {**other.types, **self.types}
        return Mismatch(self.wanted, types, min(self.row, other.row), self.count + other.count)


class ExactDecoder:
    """Turns decoded documents into a record batch.

    Parameters:
        columns: The columns wanted.

    Afterwards `mismatches` holds by path what fitted no type; those values are null in the batch.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self.mismatches: dict[str, Mismatch] = {}

    def batch(self, documents: Sequence[dict[str, Any]]) -> Any:
        """Return the record batch of some documents."""
        rows = range(len(documents))
        self._note_unknown(self._columns.root, documents, rows, "")
        arrays = [
            self._array(node, [document.get(name) for document in documents], rows, name)
            for name, node in self._columns.root.children
        ]
        if not arrays:
            return pa.RecordBatch.from_struct_array(pa.array([{}] * len(documents), pa.struct([])))
        return pa.RecordBatch.from_arrays(arrays, schema=self._columns.schema)

    def _array(self, node: Node, values: Sequence[Any], rows: Sequence[int], path: str) -> Any:
        if node.is_struct:
            return self._structs(node, values, rows, path)
        if node.is_list:
            return self._lists(node, values, rows, path)
        if pa.types.is_map(node.type):
            return self._maps(node, values, rows, path)
        return self._scalars(node, values, rows, path)

    def _scalars(self, node: Node, values: Sequence[Any], rows: Sequence[int], path: str) -> Any:
        convert = _text if path in self._columns.texts else _converter(node.type)
        converted: list[Any] = []
        for value, row in zip(values, rows, strict=True):
            if value is not None:
                given, value = value, convert(value)
                if value is _NO_VALUE:
                    self._mismatch(path, given, row, node.type)
                    value = None
            converted.append(value)
        storage = pa.array(converted, _storage_type(node.type))
        if isinstance(node.type, pa.BaseExtensionType):
            return pa.ExtensionArray.from_storage(node.type, storage)
        return storage

    def _structs(self, node: Node, values: Sequence[Any], rows: Sequence[int], path: str) -> Any:
        documents = self._only(dict, node, values, rows, path)
        self._note_unknown(node, documents, rows, f"{path}.")
        children = [
            self._array(
                child,
                [None if d is None else d.get(name) for d in documents],
                rows,
                f"{path}.{name}",
            )
            for name, child in node.children
        ]
        mask = pa.array([document is None for document in documents], pa.bool_())
        if not children:
            return pa.array([None if d is None else {} for d in documents], node.type)
        return pa.StructArray.from_arrays(children, fields=list(node.type), mask=mask)

    def _lists(self, node: Node, values: Sequence[Any], rows: Sequence[int], path: str) -> Any:
        lists = self._only(list, node, values, rows, path)
        items = [item for found in lists for item in found or ()]
        theirs = [row for found, row in zip(lists, rows, strict=True) for _ in found or ()]
        array = self._array(node.item, items, theirs, f"{path}[]")
        large = pa.types.is_large_list(node.type)
        make = pa.LargeListArray if large else pa.ListArray
        offsets, mask = _offsets(lists, large=bool(large))
        return make.from_arrays(offsets, array, type=node.type, mask=mask)

    def _maps(self, node: Node, values: Sequence[Any], rows: Sequence[int], path: str) -> Any:
        maps: list[dict[str, Any] | None] = self._only(dict, node, values, rows, path)
        entries = [
            (key, item, row)
            for found, row in zip(maps, rows, strict=True)
            if found
            for key, item in found.items()
        ]
        keys = [key for key, _, _ in entries]
        items = [item for _, item, _ in entries]
        theirs = [row for _, _, row in entries]
        array = self._array(node.item, items, theirs, f"{path}.*")
        offsets, mask = _offsets(maps, large=False)
        return pa.MapArray.from_arrays(
            offsets, pa.array(keys, pa.string()), array, type=node.type, mask=mask
        )

    def _note_unknown(
        self,
        node: Node,
        documents: Sequence[dict[str, Any] | None],
        rows: Sequence[int],
        prefix: str,
    ) -> None:
        if node.is_closed:
            known = dict(node.children)
            for document, row in zip(documents, rows, strict=True):
                for name, value in (document or {}).items():
                    if name not in known:
                        self._mismatch(f"{prefix}{name}", value, row, pa.null())

    def _only(
        self, kind: type, node: Node, values: Sequence[Any], rows: Sequence[int], path: str
    ) -> list[Any]:
        """Return the values of one class; null in place of others."""
        kept: list[Any] = []
        for value, row in zip(values, rows, strict=True):
            fits = value is None or type(value) is kind
            if not fits:
                self._mismatch(path, value, row, node.type)
            kept.append(value if fits else None)
        return kept

    def _mismatch(self, path: str, value: Any, row: int, wanted: Any) -> None:
        found = self.mismatches.setdefault(path, Mismatch(wanted, row=row))
        found.types.setdefault(bson_type(value), value)
        found.count += 1


def _offsets(found: Sequence[Any], *, large: bool) -> tuple[Any, Any]:
    offsets = [0]
    for value in found:
        offsets.append(offsets[-1] + len(value or ()))
    mask = pa.array([value is None for value in found], pa.bool_())
    return pa.array(offsets, pa.int64() if large else pa.int32()), mask


def bson_type(value: Any) -> str:
    """Return MongoDB's name of a decoded value's type."""
    if isinstance(value, float):
        return "double"
    if isinstance(value, int) and not isinstance(value, bool):
        return "long" if isinstance(value, Int64) or not -(2**31) <= value < 2**31 else "int"
    return _NAMES.get(type(value), type(value).__name__)


_NAMES: dict[Any, str] = {
    str: "string", bool: "bool", dict: "object", list: "array", bytes: "binData", Binary: "binData",
    UUID: "binData (UUID)", ObjectId: "objectId", dt.datetime: "date", Decimal128: "decimal",
    type(None): "null",
}  # fmt: skip


def _integer(bits: int) -> Callable[[Any], Any]:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1)

    def convert(value: Any) -> Any:
        if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT_IN_DOUBLE:
            if not value and math.copysign(1, value) < 0:
                return _NO_VALUE  # -0.0 has no integer
            value = int(value)
        is_integer = isinstance(value, int) and not isinstance(value, bool)
        return value if is_integer and low <= value < high else _NO_VALUE

    return convert


def _double(value: Any) -> Any:
    if isinstance(value, float):
        return value
    is_exact = isinstance(value, int) and abs(value) <= _EXACT_IN_DOUBLE
    return float(value) if is_exact and not isinstance(value, bool) else _NO_VALUE


def _text(value: Any) -> Any:
    """Return a string as it is, anything else as MongoDB's relaxed Extended JSON."""
    return value if type(value) is str else dumps(to_bson(value), json_options=_JSON)


def _day(value: Any) -> Any:
    if type(value) is dt.date:
        return value
    if not isinstance(value, dt.datetime) or value.time() != dt.time():
        return _NO_VALUE
    return value.date()


def _moment(value: Any) -> Any:
    if type(value) is dt.date:
        value = dt.datetime.combine(value, dt.time(tzinfo=dt.UTC))
    if not isinstance(value, dt.datetime):
        return _NO_VALUE
    # As a number: pyarrow's own way by the year's calendar is slower.
    return (value - _EPOCH) // dt.timedelta(milliseconds=1)


def _generic_binary(value: Any) -> Any:
    return bytes(value) if type(value) is bytes else _NO_VALUE


def _decimal(precision: int, scale: int) -> Callable[[Any], Any]:
    quantum = Decimal(1).scaleb(-scale)

    def convert(value: Any) -> Any:
        if not isinstance(value, Decimal | Decimal128):
            return _NO_VALUE
        number = value.to_decimal() if isinstance(value, Decimal128) else value
        if not number.is_finite() or (not number and number.is_signed()):
            return _NO_VALUE
        with localcontext(prec=precision):
            try:
                exact = number.quantize(quantum)
            except DecimalException:
                return _NO_VALUE
        return exact if exact == number else _NO_VALUE

    return convert


def _of(kind: type) -> Callable[[Any], Any]:
    return lambda value: value if type(value) is kind else _NO_VALUE


def _converter(type_: Any) -> Callable[[Any], Any]:
    if pa.types.is_decimal128(type_):
        return _decimal(type_.precision, type_.scale)
    if type_ == OBJECT_ID_TYPE:
        return lambda value: value.binary if isinstance(value, ObjectId) else _NO_VALUE
    if type_ == pa.uuid():
        return lambda value: value.bytes if isinstance(value, UUID) else _NO_VALUE
    return next(convert for accepts, convert in _CONVERTERS if accepts(type_))


_CONVERTERS: tuple[tuple[Callable[[Any], bool], Callable[[Any], Any]], ...] = (
    (pa.types.is_null, lambda value: _NO_VALUE),
    (pa.types.is_boolean, _of(bool)),
    (pa.types.is_int32, _integer(32)),
    (pa.types.is_int64, _integer(64)),
    (pa.types.is_float64, _double),
    (pa.types.is_date32, _day),
    (pa.types.is_timestamp, _moment),
    (lambda t: pa.types.is_string(t) or pa.types.is_large_string(t), _of(str)),
    (lambda t: pa.types.is_binary(t) or pa.types.is_large_binary(t), _generic_binary),
)


def _storage_type(type_: Any) -> Any:
    return type_.storage_type if isinstance(type_, pa.BaseExtensionType) else type_
