"""Annotations as shapes: the one walk through an annotation, for all that interpret it.

`shape_of` unwraps `Annotated`, `NewType`, type aliases and `Optional`, and finds the registry's
entry of each class. Codecs, Arrow schemas and `$jsonSchema` are made of the shapes.
"""

from __future__ import annotations

import collections
import collections.abc
import inspect
import re
import types
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextvars import ContextVar
from enum import Enum
from typing import (
    Annotated,
    Any,
    ForwardRef,
    Literal,
    NewType,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
)

from pydantic import EncodedBytes, EncodedStr, Json, JsonValue, Secret, TypeAdapter
from pydantic.errors import PydanticSchemaGenerationError
from typing_extensions import TypeAliasType

from . import forms
from .forms import Form, Shape
from .registry import SEQUENCES, STAND_INS, entry_of, is_record
from .stored_as import StoredAs
from .stored_type import Kind, StoredType
from .type_arguments import has_default


def shape_of(annotation: Any, metadata: Iterable[Any] = ()) -> Shape:
    """Return the shape of an annotation.

    Parameters:
        annotation: The annotation of a field, or a part of it.
        metadata: The metadata of `Annotated` that pydantic has already removed from it.

    Example:
        >>> shape_of(list[int] | None).is_optional
        True
    """
    shape = _shape_of(annotation, tuple(metadata))
    for marker in shape.metadata:
        form = _form_of_marker(marker)
        if form is not None:
            return shape._replace(form=form)
    return shape


def _form_of_marker(marker: Any) -> Form | None:
    """Return the form that an item of `Annotated` gives to the stored values; None if none."""
    if isinstance(marker, StoredAs):
        return forms.Chosen(marker, shape_of(marker.stored))
    if isinstance(marker, EncodedBytes | EncodedStr):
        kind = str if isinstance(marker, EncodedStr) else bytes
        return forms.Encoded(marker, cast("StoredType", entry_of(kind)))
    return forms.JsonText() if type(marker) is Json or marker is Json else None


def _shape_of(annotation: Any, outer: tuple[Any, ...]) -> Shape:
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *own = get_args(annotation)
        return _shape_of(inner, (*own, *outer))
    if isinstance(annotation, NewType):
        return _shape_of(annotation.__supertype__, outer)
    if _is_alias(annotation) or _is_alias(origin):
        return _alias(annotation, origin, outer)
    if isinstance(annotation, ForwardRef) and (alias := _open_alias(annotation)) is not None:
        return Shape(forms.Recursive(alias), outer, annotation=alias)
    if isinstance(annotation, TypeVar):
        return _type_variable(annotation, outer)
    if origin in (Union, types.UnionType):
        return _union(annotation, outer)
    return Shape(_form(annotation, origin), outer, annotation=annotation)


def _is_alias(annotation: Any) -> bool:
    # typing's own class, since Python 3.12, is another one than that of typing_extensions.
    return isinstance(annotation, TypeAliasType) or type(annotation).__name__ == "TypeAliasType"


_open_aliases: ContextVar[tuple[Any, ...]] = ContextVar("_open_aliases", default=())


def _alias(annotation: Any, origin: Any, metadata: tuple[Any, ...]) -> Shape:
    if annotation is JsonValue:
        return Shape(forms.Anything(), metadata, annotation=annotation)
    is_open = _open_aliases.get()
    if annotation in is_open:
        return Shape(forms.Recursive(annotation), metadata, annotation=annotation)
    token = _open_aliases.set((*is_open, annotation))
    try:
        return _shape_of(value_of_alias(annotation, origin), metadata)
    finally:
        _open_aliases.reset(token)


def _open_alias(name: ForwardRef) -> Any:
    """Return the alias of a name that is inside the alias itself; None if it is another name."""
    found = (alias for alias in _open_aliases.get() if alias.__name__ == name.__forward_arg__)
    return next(found, None)


def value_of_alias(annotation: Any, origin: Any = None) -> Any:
    """Return the annotation that a type alias stands for, with its type arguments put in.

    Parameters:
        annotation: The alias, or a generic alias with its arguments.
        origin: The generic alias; None to find it.
    """
    origin = origin or get_origin(annotation)
    if origin is None:
        return annotation.__value__
    arguments = dict(zip(origin.__type_params__, get_args(annotation), strict=False))
    value = origin.__value__
    return value[tuple(arguments[parameter] for parameter in value.__parameters__)]


def _type_variable(variable: TypeVar, metadata: tuple[Any, ...]) -> Shape:
    """Return the shape that pydantic validates a type variable as."""
    if has_default(variable):
        return _shape_of(cast("Any", variable).__default__, metadata)
    if variable.__constraints__:
        return _shape_of(Union[variable.__constraints__], metadata)  # noqa: UP007
    if variable.__bound__ is not None:
        return _shape_of(variable.__bound__, metadata)
    return Shape(forms.Anything(), metadata, annotation=variable)


def _union(annotation: Any, metadata: tuple[Any, ...]) -> Shape:
    members = get_args(annotation)
    options = [member for member in members if member is not types.NoneType]
    is_optional = len(options) < len(members)
    if len(options) == 1:
        return _shape_of(options[0], metadata)._replace(is_optional=is_optional)
    return Shape(forms.AnyOf(tuple(map(shape_of, options))), metadata, is_optional, annotation)


def _form(annotation: Any, origin: Any) -> Form:
    if origin is Literal:
        return forms.OneOf(get_args(annotation))
    if origin is not None:
        return _generic(annotation, origin, get_args(annotation))
    return _class(annotation)


def _generic(annotation: Any, origin: Any, arguments: tuple[Any, ...]) -> Form:
    if origin is re.Pattern:
        return forms.Other(annotation) if arguments == (bytes,) else _class(origin)
    if not inspect.isclass(origin):
        return forms.Other(annotation)
    if origin in STAND_INS:
        return _class(origin)
    if is_record(origin):
        return forms.Record(origin, annotation)
    if issubclass(origin, Secret):
        return forms.Hidden(annotation, shape_of(arguments[0]))
    if origin is collections.Counter:
        return forms.Entries(annotation, shape_of(arguments[0]), shape_of(int))
    if not arguments and entry_of(origin) is not None:
        return _container(origin, annotation)
    if issubclass(origin, Mapping) and len(arguments) == 2:
        key, value = arguments
        return forms.Entries(annotation, shape_of(key), shape_of(value))
    if issubclass(origin, Sequence | AbstractSet):
        return _items(annotation, origin, arguments)
    return forms.Other(annotation)


def _items(annotation: Any, origin: Any, arguments: tuple[Any, ...]) -> forms.Items:
    items = tuple(shape_of(item) for item in arguments if item is not Ellipsis)
    is_fixed = issubclass(origin, tuple) and Ellipsis not in arguments
    return forms.Items(annotation, origin, items, issubclass(origin, AbstractSet), is_fixed)


def _container(origin: Any, annotation: Any) -> Form:
    if issubclass(origin, Mapping):
        return forms.Entries(annotation)
    return forms.Items(annotation, origin, (), is_set=issubclass(origin, AbstractSet))


def _class(annotation: Any) -> Form:
    if annotation in (Any, object, collections.abc.Hashable):
        return forms.Anything()
    if annotation is Json:
        return forms.JsonText()
    kind = types.NoneType if annotation is None else annotation
    if not inspect.isclass(kind):
        return forms.Other(annotation)
    inner = _secret_value(kind)
    if inner is not None:
        return forms.Hidden(annotation, shape_of(inner))
    entry = entry_of(kind)
    if entry is None or not _loads_as(kind, entry):
        return _unlisted(kind)
    match entry.kind:
        case Kind.MODEL:
            return forms.Model(kind)
        case Kind.ENUM:
            return forms.Member(cast("type[Enum]", kind))
        case Kind.RECORD:
            return forms.Record(kind, kind)
        case Kind.ARRAY | Kind.SET | Kind.MAPPING:
            return _container(kind, annotation)
        case _:
            return forms.Scalar(annotation, entry)


def _loads_as(kind: type, entry: StoredType) -> bool:
    """Say whether pydantic makes objects of a class, which may be a subclass of an entry's."""
    if kind in entry.classes or kind in STAND_INS or entry.kind not in _PLAIN_KINDS:
        return True
    if kind.__module__.partition(".")[0] == "bson":
        return True
    try:
        TypeAdapter(kind)
    except PydanticSchemaGenerationError:
        return False
    return True


_PLAIN_KINDS = (Kind.SCALAR, Kind.TEXT, Kind.ARRAY, Kind.SET, Kind.MAPPING)


def _unlisted(kind: type) -> Form:
    if kind in SEQUENCES:
        return _container(kind, kind)
    is_bson = kind.__module__.partition(".")[0] == "bson"
    return forms.BsonValue(kind) if is_bson else forms.Other(kind)


def _secret_value(kind: type) -> Any:
    """Return the type of the value inside a subclass of `Secret[T]`; None for other classes."""
    for base in getattr(kind, "__orig_bases__", ()):
        if get_origin(base) is Secret:
            return get_args(base)[0]
    return None
