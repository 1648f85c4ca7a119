"""How the values of each Arrow type stand in BSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import ConfigurationError
from ..optional_libraries import library

pa: Any = library("pyarrow")
_wire: Any = library("pymongoarrow.types")

# The element types of the BSON specification (bsonspec.org).
DOUBLE, STRING, DOCUMENT, ARRAY, BINARY, OBJECT_ID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x07
BOOL, DATETIME, NULL, INT32, INT64, DECIMAL = 0x08, 0x09, 0x0A, 0x10, 0x12, 0x13

OBJECT_ID_TYPE: Any = _wire.ObjectIdType()
TIMESTAMP: Any = pa.timestamp("ms", tz="UTC")
_BINARY_GENERIC, _BINARY_UUID = 0, 4


@dataclass(frozen=True)
class Node:
    """One column, or one part of a nested column.

    Parameters:
        type: The Arrow type of the result.
        wire: The type that pymongoarrow decodes it as; None if it has none.
        sizes: The bytes of a value by BSON type, where they are always the same.
        code: The BSON type of values whose size differs: strings, binaries, documents, arrays.
        subtype: The subtype of a binary.
        children: The fields of a struct by stored name; the item of a list or map by "".
        is_closed: Whether a struct has all fields that its documents have: one that was inferred.
            A declared one is a selection.
    """

    type: Any
    wire: Any
    sizes: tuple[tuple[int, int], ...] = ()
    code: int = 0
    subtype: int = 0
    children: tuple[tuple[str, Node], ...] = ()
    is_closed: bool = False

    @property
    def item(self) -> Node:
        """The node of a list's or map's items."""
        return self.children[0][1]

    @property
    def is_struct(self) -> bool:
        """Whether it holds a document."""
        return self.code == DOCUMENT and bool(pa.types.is_struct(self.type))

    @property
    def is_list(self) -> bool:
        """Whether it holds an array."""
        return self.code == ARRAY

    @property
    def is_inferred(self) -> bool:
        """Whether its type is to be found in the data."""
        return bool(pa.types.is_null(self.type))


def node_of(type_: Any, path: str = "", declared: Any = None) -> Node:
    """Return the node of an Arrow type.

    Parameters:
        type_: The type.
        path: Where it stands, for messages.
        declared: The type as it was declared, null where it has been inferred; None if it is that.

    Raises:
        ConfigurationError: MongoDB has no values of this type.
    """
    is_ = pa.types
    declared = type_ if declared is None else declared
    if is_.is_struct(type_):
        return _struct(type_, path, declared)
    if is_.is_list(type_) or is_.is_large_list(type_):
        below = pa.null() if is_.is_null(declared) else declared.value_type
        item = node_of(type_.value_type, f"{path}[]", below)
        wire = pa.list_(item.wire) if item.wire is not None else None
        return Node(type_, wire, code=ARRAY, children=(("", item),))
    if is_.is_map(type_) and is_.is_string(type_.key_type):
        item = node_of(type_.item_type, f"{path}.*", declared.item_type)
        return Node(type_, None, code=DOCUMENT, children=(("", item),))
    for accepts, make in _SCALARS:
        if accepts(type_):
            return make(type_)
    raise ConfigurationError(
        f"{path or 'a column'} has the Arrow type {type_}, which MongoDB has no values of",
        hint="use string, int32, int64, float64, bool, binary, timestamp, date32, decimal128, "
        "ObjectId, UUID, or structs, lists and maps of them",
    )


def _struct(type_: Any, path: str, declared: Any) -> Node:
    is_closed = bool(pa.types.is_null(declared))
    below = {} if is_closed else {field.name: field.type for field in declared}
    children = tuple(
        (f.name, node_of(f.type, f"{path}.{f.name}", below.get(f.name, pa.null()))) for f in type_
    )
    fields = [(name, child.wire) for name, child in children]
    # pymongoarrow takes a dot in a name for a path.
    is_decodable = all(wire is not None and "." not in name for name, wire in fields)
    wire = pa.struct(fields) if is_decodable and fields else None
    return Node(type_, wire, code=DOCUMENT, children=children, is_closed=is_closed)


def _is_utc(type_: Any) -> bool:
    return bool(pa.types.is_timestamp(type_)) and type_.tz == "UTC" and type_.unit == "ms"


_SCALARS: tuple[tuple[Callable[[Any], bool], Callable[[Any], Node]], ...] = (
    (pa.types.is_null, lambda t: Node(t, None)),
    (pa.types.is_boolean, lambda t: Node(t, pa.bool_(), ((BOOL, 1),))),
    (pa.types.is_int64, lambda t: Node(t, pa.int64(), ((INT64, 8), (INT32, 4)))),
    (pa.types.is_int32, lambda t: Node(t, pa.int32(), ((INT32, 4),))),
    (pa.types.is_float64, lambda t: Node(t, pa.float64(), ((DOUBLE, 8), (INT32, 4)))),
    (_is_utc, lambda t: Node(t, t, ((DATETIME, 8),))),
    (pa.types.is_date32, lambda t: Node(t, t, ((DATETIME, 8),))),
    (lambda t: t == OBJECT_ID_TYPE, lambda t: Node(t, t, ((OBJECT_ID, 12),))),
    (pa.types.is_decimal128, lambda t: Node(t, _wire.Decimal128Type(), ((DECIMAL, 16),))),
    (
        lambda t: pa.types.is_string(t) or pa.types.is_large_string(t),
        lambda t: Node(t, pa.string(), code=STRING),
    ),
    (
        lambda t: t == pa.uuid(),
        lambda t: Node(t, _wire.BinaryType(_BINARY_UUID), code=BINARY, subtype=_BINARY_UUID),
    ),
    (
        lambda t: pa.types.is_binary(t) or pa.types.is_large_binary(t),
        lambda t: Node(t, _wire.BinaryType(_BINARY_GENERIC), code=BINARY),
    ),
)


@dataclass(frozen=True)
class Columns:
    """The columns of a table, by their stored names.

    Parameters:
        schema: The Arrow schema of the result.
        root: The node of a whole document.
        texts: The columns that hold anything at all, as text.
    """

    schema: Any
    root: Node
    texts: frozenset[str] = field(default_factory=frozenset[str])

    @property
    def by_arrow(self) -> tuple[tuple[str, Node], ...]:
        """The columns that pymongoarrow can decode."""
        return tuple(column for column in self.root.children if column[1].wire is not None)

    @property
    def by_python(self) -> tuple[tuple[str, Node], ...]:
        """The columns that it cannot."""
        return tuple(column for column in self.root.children if column[1].wire is None)

    def only(self, children: tuple[tuple[str, Node], ...]) -> Columns:
        """Return some of the columns, whatever else the documents hold."""
        schema = pa.schema([self.schema.field(name) for name, _ in children])
        node = Node(pa.struct(list(schema)), None, code=DOCUMENT, children=children)
        return Columns(schema, node, self.texts)


def columns_of(schema: Any, declared: Any = None, texts: frozenset[str] = frozenset()) -> Columns:
    """Return the columns of an Arrow schema.

    Parameters:
        schema: The schema.
        declared: The struct type that was declared, null where it has been inferred; None if the
            schema is that.
        texts: The columns that hold anything at all, as text.

    Raises:
        ConfigurationError: MongoDB has no values of one of its types.
    """
    twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if twice:
        raise ConfigurationError(
            f"the schema has more than one column {', '.join(twice)}", hint="rename all but one"
        )
    root = node_of(pa.struct(list(schema)), "", declared)
    children = tuple(
        (name, replace(node, wire=None) if name in texts or "." in name else node)
        for name, node in root.children
    )
    return Columns(schema, replace(root, children=children), texts)
