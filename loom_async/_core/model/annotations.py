"""From an annotation to its codec."""

from __future__ import annotations

import datetime as dt
import inspect
import re
import types
from collections import deque
from collections.abc import (
    Callable,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
    MutableSequence,
    Sequence,
)
from collections.abc import Set as AbstractSet
from dataclasses import is_dataclass
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NewType, TypeVar, Union, get_args, get_origin
from uuid import UUID

from bson import ObjectId
from pydantic import BaseModel, RootModel, SecretBytes, SecretStr
from pydantic.fields import FieldInfo
from typing_extensions import TypeAliasType, is_typeddict

from ..errors import ConfigurationError
from ..type_guards import is_dict
from ..types.codec import ANY, Codec, Forms
from ..types.containers import Entries, Items, OneOf, Unordered
from ..types.scalars import (
    Converted,
    Counter,
    Exact,
    Expression,
    Identifier,
    JsonForm,
    Moment,
    Normalised,
    Scalar,
    day,
)
from ..types.values import key_to_bson, teach, to_bson
from .markers import CoalesceOnInsert, Increment, NormalizeValue, RefreshOnSet, Versioned
from .model_codec import ModelCodec, StoredField
from .polymorphism import Family, family_of
from .validation import class_of, validate

_SCALARS = (str, int, float, bool, bytes, UUID, types.NoneType)
_LISTS = (list, tuple, deque, Sequence, MutableSequence, Iterable)
_SETS = (set, frozenset, AbstractSet)
_DICTS = (dict, Mapping, MutableMapping)


def codec_of(annotation: Any, metadata: Iterable[Any] = ()) -> Codec:
    """Return the codec of an annotation.

    Parameters:
        annotation: What stands behind a field's colon.
        metadata: The `Annotated` metadata that pydantic has already taken off it.
    """
    codec = _bare(annotation)
    for marker in metadata:
        if isinstance(marker, Increment):
            codec = Counter()
        elif isinstance(marker, NormalizeValue):
            codec = Normalised(codec, marker.function)
    return codec


def _bare(annotation: Any) -> Codec:
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *metadata = get_args(annotation)
        return codec_of(inner, metadata)
    if isinstance(annotation, NewType):
        return codec_of(annotation.__supertype__)
    alias: Any = origin if isinstance(origin, TypeAliasType) else annotation
    if isinstance(alias, TypeAliasType) or type(alias).__name__ == "TypeAliasType":
        return codec_of(alias.__value__) if origin is None else ANY
    if origin in (Union, types.UnionType):
        return _union(get_args(annotation))
    if origin is Literal:
        return Converted(to_bson)
    if origin is not None and not _is_model(annotation):
        return _container(origin, get_args(annotation), annotation)
    return _plain(annotation)


def _union(members: tuple[Any, ...]) -> Codec:
    present = [member for member in members if member is not types.NoneType]
    codecs = [codec_of(member) for member in present]
    families = {codec.family if isinstance(codec, Member) else None for codec in codecs}
    if len(families) == 1 and (family := families.pop()) is not None:
        return codecs[0] if len(codecs) == 1 else Member(family.root, family)
    return codecs[0] if len(codecs) == 1 else OneOf(codecs)


def _container(origin: Any, arguments: tuple[Any, ...], annotation: Any) -> Codec:
    if origin in _SETS:
        return Unordered(codec_of(arguments[0]))
    if origin in _DICTS:
        return Entries(codec_of(arguments[1]), _enum_keys(arguments[0]))
    if origin in _LISTS:
        items = [codec_of(item) for item in arguments if item is not Ellipsis]
        return Items(items[0] if len(items) == 1 else OneOf(items))
    if origin is re.Pattern:
        return Expression()
    return ANY if is_record(origin) else JsonForm(annotation)


def is_record(kind: Any) -> bool:
    """Say whether a class is a dataclass or a TypedDict, encoded by what its values are."""
    return is_dataclass(kind) or is_typeddict(kind)


def _enum_keys(annotation: Any) -> dict[str, Any]:
    if inspect.isclass(annotation) and issubclass(annotation, Enum):
        return {key_to_bson(member): member for member in annotation}
    return {}


def _plain(annotation: Any) -> Codec:
    if annotation in (Any, object) or isinstance(annotation, TypeVar):
        return ANY
    if not inspect.isclass(annotation):
        return JsonForm(annotation)
    for kinds, make in _BY_CLASS:
        if issubclass(annotation, kinds):
            return make(annotation)
    if is_record(annotation):
        return ANY
    if annotation.__module__.partition(".")[0] == "bson":
        return Scalar()
    return JsonForm(annotation)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


class _Root(Codec):
    """A RootModel: stored as the value that it wraps."""

    def __init__(self, model: type[RootModel[Any]]) -> None:
        root = model.model_fields["root"]
        self._inner = codec_of(root.annotation, root.metadata)
        self.forms = self._inner.forms

    @property
    def item_forms(self) -> Forms:
        """The forms of the items of the codec inside."""
        return self._inner.item_forms

    def encode(self, value: Any) -> Any:
        root: Any = getattr(value, "root", value)
        return self._inner.encode(root)

    def decode(self, stored: Any) -> Any:
        return self._inner.decode(stored)

    def literal(self, value: Any) -> Any:
        return self._inner.literal(getattr(value, "root", value))

    def child(self, key: str) -> tuple[str, Codec] | None:
        return self._inner.child(key)


def _nested(model: type[BaseModel]) -> Codec:
    family = family_of(model)
    return model_codec(model) if family is None else Member(model, family)


class Member(Codec):
    """A model of a family inside another document: its tag says which class it is of."""

    forms = Forms(is_document=True, is_pattern=False)

    def __init__(self, model: type[Any], family: Family) -> None:
        self._model = model
        self.family: Family = family

    def decode(self, stored: Any) -> Any:
        if not is_dict(stored):
            return stored
        kind = class_of(self._model, stored)
        return validate(kind, model_codec(kind).decode(stored), stored)

    def child(self, key: str) -> tuple[str, Codec] | None:
        return model_codec(self._model).child(key)

    def names(self) -> Iterable[str]:
        return model_codec(self._model).names()


def _reveal(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr | SecretBytes) else value


_codecs: dict[type[BaseModel], ModelCodec] = {}


def model_codec(model: type[BaseModel]) -> ModelCodec:
    """Return the codec of a model, compiled on first use."""
    codec = _codecs.get(model)
    if codec is None:
        codec = _codecs[model] = ModelCodec(model, lambda: _stored_fields(model))
    return codec


def stored_name(name: str, info: FieldInfo) -> str:
    """Return the name that a field has in documents: the one that validation reads."""
    alias = info.validation_alias
    if isinstance(alias, str):
        return alias
    choices = getattr(alias, "choices", ())
    return next((choice for choice in choices if isinstance(choice, str)), name)


def _stored_fields(model: type[BaseModel]) -> Iterator[StoredField]:
    for name, info in model.model_fields.items():
        try:
            codec = codec_of(info.annotation, info.metadata)
        except Exception as error:
            raise ConfigurationError(
                f"{model.__name__}.{name} has a type that Loom cannot store: {info.annotation!r}",
                hint="use a type that pydantic can write to JSON",
            ) from error
        markers: dict[type, Any] = {type(marker): marker for marker in info.metadata}
        on_insert, on_write = markers.get(CoalesceOnInsert), markers.get(RefreshOnSet)
        yield StoredField(
            name,
            stored_name(name, info),
            codec,
            on_insert.function if on_insert else None,
            on_write.function if on_write else None,
            is_revision=Versioned in markers,
        )


# Asked in this order: a bool is an int, an Enum may be a str, a datetime is a date.
_BY_CLASS: tuple[tuple[Any, Callable[[Any], Codec]], ...] = (
    (RootModel, _Root),
    (BaseModel, _nested),
    (Enum, lambda _: Converted(to_bson)),
    (_SCALARS, lambda _: Scalar()),
    (ObjectId, lambda _: Identifier()),
    (re.Pattern, lambda _: Expression()),
    (dt.datetime, lambda _: Moment()),
    (dt.date, lambda _: day()),
    (Decimal, lambda _: Exact()),
    ((SecretStr, SecretBytes), lambda _: Converted(_reveal)),
    (bytearray, lambda _: Converted(to_bson)),
    (_SETS, lambda _: Unordered(ANY)),
    (_DICTS, lambda _: ANY),
    ((list, tuple, deque), lambda _: Items(ANY)),
)


def _model_to_bson(value: BaseModel) -> Any:
    return model_codec(type(value)).encode(value)


def _root_to_bson(value: RootModel[Any]) -> Any:
    return to_bson(value.root)


# A model is encoded by its own codec wherever its object turns up.
teach(BaseModel, _model_to_bson)
teach(RootModel, _root_to_bson)
