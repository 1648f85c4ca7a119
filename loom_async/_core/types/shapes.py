"""Annotations as shapes: the one walk through an annotation, for all that interpret it.

`shape_of` unwraps `Annotated`, `NewType`, type aliases and `Optional`, and finds the registry's
entry of each class. Codecs, Arrow schemas and `$jsonSchema` are made of the shapes.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    NewType,
    TypeAlias,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
)

from typing_extensions import TypeAliasType

from .registry import SEQUENCES, Kind, StoredType, entry_of, is_record


class Anything(NamedTuple):
    """`Any`, `object`, a type variable: the value decides how it is stored."""


class Scalar(NamedTuple):
    """A value that holds no others: `int`, `datetime`, `timedelta`."""

    annotation: Any
    entry: StoredType


class Member(NamedTuple):
    """A member of an Enum."""

    enum: type[Enum]


class OneOf(NamedTuple):
    """One of the values of a `Literal`."""

    values: tuple[Any, ...]


class AnyOf(NamedTuple):
    """A union; None is not among the options."""

    options: tuple[Shape, ...]


class Items(NamedTuple):
    """A list, tuple or set.

    Parameters:
        annotation: The whole annotation.
        origin: The class without its arguments.
        items: The shapes of the items: one, several for a tuple, none if they may be anything.
        is_set: Whether the order of the items means nothing.
        in_json: Whether the value is stored as pydantic writes it to JSON.
    """

    annotation: Any
    origin: Any
    items: tuple[Shape, ...]
    is_set: bool = False
    in_json: bool = False


class Entries(NamedTuple):
    """A dict.

    Parameters:
        annotation: The whole annotation.
        key: The annotation of the keys; None if they may be anything.
        value: The shape of the values; None if they may be anything.
        in_json: Whether the value is stored as pydantic writes it to JSON.
    """

    annotation: Any
    key: Any = None
    value: Shape | None = None
    in_json: bool = False


class Model(NamedTuple):
    """A pydantic model."""

    model: type[Any]


class Record(NamedTuple):
    """A dataclass or a `TypedDict`, stored by the classes of its values."""

    kind: Any


class BsonValue(NamedTuple):
    """A class of the bson package without an entry in the registry, stored as it is."""

    kind: type


class Other(NamedTuple):
    """A type without an entry in the registry, stored as pydantic writes it to JSON."""

    annotation: Any


Form: TypeAlias = (
    Anything
    | Scalar
    | Member
    | OneOf
    | AnyOf
    | Items
    | Entries
    | Model
    | Record
    | BsonValue
    | Other
)


class Shape(NamedTuple):
    """What an annotation allows.

    Parameters:
        form: The values besides None.
        metadata: The metadata of `Annotated`, the innermost first.
        is_optional: Whether None is allowed as well.
    """

    form: Form
    metadata: tuple[Any, ...] = ()
    is_optional: bool = False


def shape_of(annotation: Any, metadata: Iterable[Any] = ()) -> Shape:
    """Return the shape of an annotation.

    Parameters:
        annotation: The annotation of a field, or a part of it.
        metadata: The metadata of `Annotated` that pydantic has already removed from it.

    Example:
        >>> shape_of(list[int] | None).is_optional
        True
    """
    outer = tuple(metadata)
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *own = get_args(annotation)
        return shape_of(inner, (*own, *outer))
    if isinstance(annotation, NewType):
        return shape_of(annotation.__supertype__, outer)
    if _is_alias(annotation):
        return shape_of(annotation.__value__, outer)
    if origin in (Union, types.UnionType):
        return _union(get_args(annotation), outer)
    return Shape(_form(annotation, origin), outer)


def _is_alias(annotation: Any) -> bool:
    # typing's own class, since Python 3.12, is another one than that of typing_extensions.
    return isinstance(annotation, TypeAliasType) or type(annotation).__name__ == "TypeAliasType"


def _union(members: Sequence[Any], metadata: tuple[Any, ...]) -> Shape:
    options = [member for member in members if member is not types.NoneType]
    is_optional = len(options) < len(members)
    if len(options) == 1:
        return shape_of(options[0], metadata)._replace(is_optional=is_optional)
    return Shape(AnyOf(tuple(map(shape_of, options))), metadata, is_optional)


def _form(annotation: Any, origin: Any) -> Form:
    if _is_alias(origin):
        return Anything()
    if origin is Literal:
        return OneOf(get_args(annotation))
    if origin is not None:
        return _generic(annotation, origin, get_args(annotation))
    return _class(annotation)


def _generic(annotation: Any, origin: Any, arguments: tuple[Any, ...]) -> Form:
    if origin is re.Pattern:
        return _class(origin)
    if not inspect.isclass(origin):
        return Other(annotation)
    if is_record(origin):
        return Record(origin)
    entry = entry_of(origin)
    is_exact = (entry is not None and origin in entry.classes) or origin in (*SEQUENCES, Iterable)
    if not arguments and is_exact:
        return _container(origin, annotation)
    if issubclass(origin, Mapping):
        if len(arguments) != 2:
            return Other(annotation)
        key, value = arguments
        return Entries(annotation, key, shape_of(value), in_json=not is_exact)
    if issubclass(origin, Sequence | AbstractSet) or origin is Iterable:
        items = tuple(shape_of(item) for item in arguments if item is not Ellipsis)
        is_set = issubclass(origin, AbstractSet)
        return Items(annotation, origin, items, is_set=is_set, in_json=not is_exact)
    return Other(annotation)


def _container(origin: Any, annotation: Any) -> Form:
    if issubclass(origin, Mapping):
        return Entries(annotation)
    return Items(annotation, origin, (), is_set=issubclass(origin, AbstractSet))


def _class(annotation: Any) -> Form:
    if annotation in (Any, object) or isinstance(annotation, TypeVar):
        return Anything()
    kind = types.NoneType if annotation is None else annotation
    if not inspect.isclass(kind):
        return Other(annotation)
    entry = entry_of(kind)
    if entry is None:
        is_bson = kind.__module__.partition(".")[0] == "bson"
        return BsonValue(kind) if is_bson else Other(annotation)
    match entry.kind:
        case Kind.MODEL:
            return Model(kind)
        case Kind.ENUM:
            return Member(cast("type[Enum]", kind))
        case Kind.RECORD:
            return Record(kind)
        case Kind.ARRAY | Kind.SET | Kind.MAPPING:
            return _container(kind, annotation)
        case _:
            return Scalar(annotation, entry)
