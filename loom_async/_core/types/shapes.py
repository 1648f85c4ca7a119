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
from dataclasses import dataclass, replace
from enum import Enum
from typing import (
    Annotated,
    Any,
    Literal,
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


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What an annotation allows.

    Parameters:
        metadata: The metadata of `Annotated`, the innermost first.
        is_optional: Whether None is allowed as well.
    """

    metadata: tuple[Any, ...] = ()
    is_optional: bool = False


@dataclass(frozen=True)
class Anything(Shape):
    """`Any`, `object`, a type variable: the value decides how it is stored."""


@dataclass(frozen=True)
class Scalar(Shape):
    """A value that holds no others: `int`, `datetime`, `timedelta`."""

    annotation: Any
    entry: StoredType


@dataclass(frozen=True)
class Member(Shape):
    """A member of an Enum."""

    enum: type[Enum]


@dataclass(frozen=True)
class OneOf(Shape):
    """One of the values of a `Literal`."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class AnyOf(Shape):
    """A union; None is not among the options."""

    options: tuple[AnyShape, ...]


@dataclass(frozen=True)
class Items(Shape):
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
    items: tuple[AnyShape, ...]
    is_set: bool = False
    in_json: bool = False


@dataclass(frozen=True)
class Entries(Shape):
    """A dict.

    Parameters:
        annotation: The whole annotation.
        key: The annotation of the keys; None if they may be anything.
        value: The shape of the values; None if they may be anything.
        in_json: Whether the value is stored as pydantic writes it to JSON.
    """

    annotation: Any
    key: Any = None
    value: AnyShape | None = None
    in_json: bool = False


@dataclass(frozen=True)
class Model(Shape):
    """A pydantic model."""

    model: type[Any]


@dataclass(frozen=True)
class Record(Shape):
    """A dataclass or a `TypedDict`, stored by the classes of its values."""

    kind: Any


@dataclass(frozen=True)
class BsonValue(Shape):
    """A class of the bson package without an entry in the registry, stored as it is."""

    kind: type


@dataclass(frozen=True)
class Other(Shape):
    """A type without an entry in the registry, stored as pydantic writes it to JSON."""

    annotation: Any


AnyShape: TypeAlias = (
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


def shape_of(annotation: Any, metadata: Iterable[Any] = ()) -> AnyShape:
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
    if _is_alias(origin):
        return Anything(metadata=outer)
    if origin in (Union, types.UnionType):
        return _union(get_args(annotation), outer)
    if origin is Literal:
        return OneOf(get_args(annotation), metadata=outer)
    if origin is not None:
        return _generic(annotation, origin, get_args(annotation), outer)
    return _class(annotation, outer)


def _is_alias(annotation: Any) -> bool:
    # typing's own class, since Python 3.12, is another one than that of typing_extensions.
    return isinstance(annotation, TypeAliasType) or type(annotation).__name__ == "TypeAliasType"


def _union(members: Sequence[Any], metadata: tuple[Any, ...]) -> AnyShape:
    options = [member for member in members if member is not types.NoneType]
    is_optional = len(options) < len(members)
    if len(options) == 1:
        return replace(shape_of(options[0], metadata), is_optional=is_optional)
    return AnyOf(tuple(map(shape_of, options)), metadata=metadata, is_optional=is_optional)


def _generic(
    annotation: Any, origin: Any, arguments: tuple[Any, ...], metadata: tuple[Any, ...]
) -> AnyShape:
    if origin is re.Pattern:
        return _class(origin, metadata)
    if not inspect.isclass(origin):
        return Other(annotation, metadata=metadata)
    if is_record(origin):
        return Record(origin, metadata=metadata)
    entry = entry_of(origin)
    is_exact = (entry is not None and origin in entry.classes) or origin in (*SEQUENCES, Iterable)
    if not arguments and is_exact:
        return _container(origin, annotation, metadata)
    if issubclass(origin, Mapping):
        if len(arguments) != 2:
            return Other(annotation, metadata=metadata)
        key, value = arguments
        return Entries(annotation, key, shape_of(value), in_json=not is_exact, metadata=metadata)
    if issubclass(origin, Sequence | AbstractSet) or origin is Iterable:
        items = tuple(shape_of(item) for item in arguments if item is not Ellipsis)
        is_set = issubclass(origin, AbstractSet)
        return Items(
            annotation, origin, items, is_set=is_set, in_json=not is_exact, metadata=metadata
        )
    return Other(annotation, metadata=metadata)


def _container(origin: Any, annotation: Any, metadata: tuple[Any, ...]) -> AnyShape:
    if issubclass(origin, Mapping):
        return Entries(annotation, metadata=metadata)
    is_set = issubclass(origin, AbstractSet)
    return Items(annotation, origin, (), is_set=is_set, metadata=metadata)


def _class(annotation: Any, metadata: tuple[Any, ...]) -> AnyShape:
    if annotation in (Any, object) or isinstance(annotation, TypeVar):
        return Anything(metadata=metadata)
    kind = types.NoneType if annotation is None else annotation
    if not inspect.isclass(kind):
        return Other(annotation, metadata=metadata)
    entry = entry_of(kind)
    if entry is None:
        if kind.__module__.partition(".")[0] == "bson":
            return BsonValue(kind, metadata=metadata)
        return Other(annotation, metadata=metadata)
    match entry.kind:
        case Kind.MODEL:
            return Model(kind, metadata=metadata)
        case Kind.ENUM:
            return Member(cast("type[Enum]", kind), metadata=metadata)
        case Kind.RECORD:
            return Record(kind, metadata=metadata)
        case Kind.ARRAY | Kind.SET | Kind.MAPPING:
            return _container(kind, annotation, metadata)
        case _:
            return Scalar(annotation, entry, metadata=metadata)
