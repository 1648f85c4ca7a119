"""How a table's columns are stored in BSON, and which type pymongoarrow decodes them as."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ..bson_elements import (
    ARRAY,
    BINARY,
    BOOLEAN,
    DATETIME,
    DECIMAL128,
    DOCUMENT,
    DOUBLE,
    INT32,
    INT64,
    OBJECT_ID,
    STRING,
)
from ..errors import ConfigurationError
from ..optional_libraries import library

pa: Any = library("pyarrow")
_pymongoarrow_types: Any = library("pymongoarrow.types")

OBJECT_ID_TYPE: Any = _pymongoarrow_types.ObjectIdType()
TIMESTAMP: Any = pa.timestamp("ms", tz="UTC")
#: The Arrow types by their names in the registry, decimals excepted: a field sets their precision.
TYPES_BY_NAME: dict[str, Any] = {
    "bool": pa.bool_(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "string": pa.string(),
    "binary": pa.binary(),
    "uuid": pa.uuid(),
    "ObjectId": OBJECT_ID_TYPE,
    "timestamp[ms, UTC]": TIMESTAMP,
    "date32": pa.date32(),
    "duration[us]": pa.duration("us"),
}
_GENERIC_SUBTYPE, _UUID_SUBTYPE = 0, 4


@dataclass(frozen=True)
class ColumnType:
    """The type of a column, or of a field or item within a nested column.

    Parameters:
        arrow_type: The Arrow type in the table.
        pymongoarrow_type: The type that pymongoarrow decodes the values as; None if it cannot.
        bson_types: The BSON types of the values, the usual one first; empty for Arrow's null.
        subtype: The subtype of binary values.
        children: The types of a struct's fields by stored name, or of a list's or map's items
            under the name "".
        is_closed: Whether documents may have no other fields than those of this struct. That is
            so for an inferred struct; a declared one selects fields.
    """

    arrow_type: Any
    pymongoarrow_type: Any
    bson_types: tuple[int, ...] = ()
    subtype: int = 0
    children: tuple[tuple[str, ColumnType], ...] = ()
    is_closed: bool = False

    @property
    def item(self) -> ColumnType:
        """The type of a list's or map's items."""
        return self.children[0][1]

    @property
    def is_struct(self) -> bool:
        """Whether the values are documents, and no maps."""
        return self.bson_types == (DOCUMENT,) and bool(pa.types.is_struct(self.arrow_type))

    @property
    def is_list(self) -> bool:
        """Whether the values are arrays."""
        return self.bson_types == (ARRAY,)


def column_type(arrow_type: Any, path: str = "", declared: Any = None) -> ColumnType:
    """Return how values of an Arrow type are stored and decoded.

    Parameters:
        arrow_type: The Arrow type.
        path: The path of the column or field, for error messages.
        declared: The type as it was declared, with null for what was left to inference; None if
            `arrow_type` was declared itself.

    Raises:
        ConfigurationError: The type has no equivalent in BSON.
    """
    is_ = pa.types
    declared = arrow_type if declared is None else declared
    if is_.is_struct(arrow_type):
        return _struct(arrow_type, path, declared)
    if is_.is_list(arrow_type) or is_.is_large_list(arrow_type):
        declared_item = pa.null() if is_.is_null(declared) else declared.value_type
        item = column_type(arrow_type.value_type, f"{path}[]", declared_item)
        decoded = None if item.pymongoarrow_type is None else pa.list_(item.pymongoarrow_type)
        return ColumnType(arrow_type, decoded, (ARRAY,), children=(("", item),))
    if is_.is_map(arrow_type) and is_.is_string(arrow_type.key_type):
        item = column_type(arrow_type.item_type, f"{path}.*", declared.item_type)
        return ColumnType(arrow_type, None, (DOCUMENT,), children=(("", item),))
    for matches, make in _SCALARS:
        if matches(arrow_type):
            return make(arrow_type)
    raise ConfigurationError(
        f"{path or 'a column'} has the Arrow type {arrow_type}, which has no equivalent in BSON",
        hint="use string, int32, int64, float64, bool, binary, timestamp in milliseconds of UTC, "
        "date32, duration in microseconds, decimal128, ObjectId, UUID, or structs, lists and "
        "maps of them",
    )


def _struct(arrow_type: Any, path: str, declared: Any) -> ColumnType:
    is_closed = bool(pa.types.is_null(declared))
    declared_fields = {} if is_closed else {field.name: field.type for field in declared}
    children = tuple(
        (f.name, column_type(f.type, f"{path}.{f.name}", declared_fields.get(f.name, pa.null())))
        for f in arrow_type
    )
    fields = [(name, child.pymongoarrow_type) for name, child in children]
    # pymongoarrow reads a name with a dot as a path.
    is_decodable = all(decoded is not None and "." not in name for name, decoded in fields)
    decoded = pa.struct(fields) if is_decodable and fields else None
    return ColumnType(arrow_type, decoded, (DOCUMENT,), children=children, is_closed=is_closed)


def _is_timestamp(type_: Any) -> bool:
    return bool(pa.types.is_timestamp(type_)) and type_.tz == "UTC" and type_.unit == "ms"


_SCALARS: tuple[tuple[Callable[[Any], bool], Callable[[Any], ColumnType]], ...] = (
    (pa.types.is_null, lambda t: ColumnType(t, None)),
    (pa.types.is_boolean, lambda t: ColumnType(t, pa.bool_(), (BOOLEAN,))),
    (pa.types.is_int64, lambda t: ColumnType(t, pa.int64(), (INT64, INT32))),
    (lambda t: t == pa.duration("us"), lambda t: ColumnType(t, pa.int64(), (INT64, INT32))),
    (pa.types.is_int32, lambda t: ColumnType(t, pa.int32(), (INT32,))),
    (pa.types.is_float64, lambda t: ColumnType(t, pa.float64(), (DOUBLE, INT32))),
    (_is_timestamp, lambda t: ColumnType(t, t, (DATETIME,))),
    (pa.types.is_date32, lambda t: ColumnType(t, t, (DATETIME,))),
    (lambda t: t == OBJECT_ID_TYPE, lambda t: ColumnType(t, t, (OBJECT_ID,))),
    (
        pa.types.is_decimal128,
        lambda t: ColumnType(t, _pymongoarrow_types.Decimal128Type(), (DECIMAL128,)),
    ),
    (
        lambda t: pa.types.is_string(t) or pa.types.is_large_string(t),
        lambda t: ColumnType(t, pa.string(), (STRING,)),
    ),
    (
        lambda t: t == pa.uuid(),
        lambda t: ColumnType(
            t, _pymongoarrow_types.BinaryType(_UUID_SUBTYPE), (BINARY,), _UUID_SUBTYPE
        ),
    ),
    (
        lambda t: pa.types.is_binary(t) or pa.types.is_large_binary(t),
        lambda t: ColumnType(t, _pymongoarrow_types.BinaryType(_GENERIC_SUBTYPE), (BINARY,)),
    ),
)


@dataclass(frozen=True)
class Columns:
    """The columns of a table, by their stored names.

    Parameters:
        schema: The Arrow schema of the table.
        root: The type of a whole document: a struct of the columns.
        as_text: The columns that hold values of every type, as text.
    """

    schema: Any
    root: ColumnType
    as_text: frozenset[str] = field(default_factory=frozenset[str])

    @property
    def by_pymongoarrow(self) -> tuple[tuple[str, ColumnType], ...]:
        """The columns that pymongoarrow can decode."""
        return tuple(c for c in self.root.children if c[1].pymongoarrow_type is not None)

    @property
    def by_python(self) -> tuple[tuple[str, ColumnType], ...]:
        """The columns that pymongoarrow cannot decode."""
        return tuple(c for c in self.root.children if c[1].pymongoarrow_type is None)

    def select(self, columns: tuple[tuple[str, ColumnType], ...]) -> Columns:
        """Return some of the columns; the documents may have other fields."""
        schema = pa.schema([self.schema.field(name) for name, _ in columns])
        root = ColumnType(pa.struct(list(schema)), None, (DOCUMENT,), children=columns)
        return Columns(schema, root, self.as_text)


def columns_of(schema: Any, declared: Any = None, as_text: frozenset[str] = frozenset()) -> Columns:
    """Return the columns of an Arrow schema.

    Parameters:
        schema: The schema.
        declared: The schema as it was declared, as a struct type with null for what was left to
            inference; None if `schema` was declared itself.
        as_text: The columns that hold values of every type, as text.

    Raises:
        ConfigurationError: A type has no equivalent in BSON, or two columns have one name.
    """
    repeated = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if repeated:
        raise ConfigurationError(
            f"the schema has more than one column {', '.join(repeated)}", hint="rename all but one"
        )
    root = column_type(pa.struct(list(schema)), "", declared)
    children = tuple(
        (name, replace(child, pymongoarrow_type=None) if name in as_text or "." in name else child)
        for name, child in root.children
    )
    return Columns(schema, replace(root, children=children), as_text)
