"""Chooses the codec of each annotation and of each model."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any, cast

from bson import ObjectId
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ..errors import ConfigurationError
from ..type_guards import is_dict
from ..types import shapes
from ..types.codec import ANY, Codec, Forms
from ..types.containers import ArrayCodec, MappingCodec, SetCodec, UnionCodec
from ..types.registry import Kind, StoredType
from ..types.scalars import (
    CounterCodec,
    JsonCodec,
    NormalisedCodec,
    ObjectIdCodec,
    ScalarCodec,
    ValueCodec,
)
from ..types.shapes import shape_of
from ..types.values import key_to_bson, set_model_encoder, to_bson
from .markers import CoalesceOnInsert, Increment, NormalizeValue, RefreshOnSet, Versioned
from .model_codec import ModelCodec, StoredField
from .polymorphism import Family, family_of
from .validation import class_of, validate


def codec_of(annotation: Any, metadata: Iterable[Any] = ()) -> Codec:
    """Return the codec of an annotation.

    Parameters:
        annotation: The annotation of a field, or a part of it.
        metadata: The metadata of `Annotated` that pydantic has already removed from it.
    """
    return _codec(shape_of(annotation, metadata))


def _codec(shape: shapes.Shape) -> Codec:
    codec = _unmarked(shape.form)
    for marker in shape.metadata:
        if isinstance(marker, Increment):
            codec = CounterCodec()
        elif isinstance(marker, NormalizeValue):
            codec = NormalisedCodec(codec, marker.function)
    return codec


def _unmarked(form: shapes.Form) -> Codec:
    match form:
        case shapes.Scalar(annotation, entry):
            return JsonCodec(annotation) if entry.kind is Kind.TEXT else _scalar(entry)
        case shapes.Member() | shapes.OneOf():
            return ValueCodec()
        case shapes.Model(model):
            return _model(model)
        case shapes.AnyOf(options):
            return _union([_codec(option) for option in options])
        case shapes.Items(in_json=True) | shapes.Entries(in_json=True) | shapes.Other():
            return JsonCodec(form.annotation)
        case shapes.Items(items=items, is_set=is_set):
            item = _union([_codec(item) for item in items]) if items else ANY
            return SetCodec(item) if is_set else ArrayCodec(item)
        case shapes.Entries(value=shapes.Shape() as value, key=key):
            return MappingCodec(_codec(value), _enum_keys(key))
        case shapes.Entries() | shapes.Anything() | shapes.Record():
            return ANY
        case shapes.BsonValue():
            return ScalarCodec()


def _scalar(entry: StoredType) -> Codec:
    return ObjectIdCodec(entry) if ObjectId in entry.classes else ScalarCodec(entry)


def _union(codecs: list[Codec]) -> Codec:
    families = {codec.family if isinstance(codec, FamilyCodec) else None for codec in codecs}
    if len(codecs) > 1 and len(families) == 1 and (family := families.pop()) is not None:
        return FamilyCodec(family.root, family)
    return codecs[0] if len(codecs) == 1 else UnionCodec(codecs)


def _enum_keys(annotation: Any) -> dict[str, Any]:
    """Return the members of an Enum by their keys in documents."""
    if inspect.isclass(annotation) and issubclass(annotation, Enum):
        return {key_to_bson(member): member for member in annotation}
    return {}


def _model(model: type[BaseModel]) -> Codec:
    if model.__pydantic_root_model__:
        return RootModelCodec(model)
    family = family_of(model)
    return model_codec(model) if family is None else FamilyCodec(model, family)


class RootModelCodec(Codec):
    """A `RootModel`, stored as the value that it wraps."""

    def __init__(self, model: type[BaseModel]) -> None:
        root = model.model_fields["root"]
        self._inner = codec_of(root.annotation, root.metadata)
        self.forms = self._inner.forms

    @property
    def item_forms(self) -> Forms:
        """The forms of the items of the inner codec."""
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


class FamilyCodec(Codec):
    """A model of a family inside another document; the tag in the document names its class."""

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


_codecs: dict[type[BaseModel], ModelCodec] = {}


def model_codec(model: type[BaseModel]) -> ModelCodec:
    """Return the codec of a model, compiled on first use."""
    codec = _codecs.get(model)
    if codec is None:
        codec = _codecs[model] = ModelCodec(model, lambda: _stored_fields(model))
    return codec


def stored_name(name: str, info: FieldInfo) -> str:
    """Return the name of a field in documents: the first name that validation reads."""
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


def _model_to_bson(value: BaseModel) -> Any:
    if value.__pydantic_root_model__:
        return to_bson(cast("Any", value).root)
    return model_codec(type(value)).encode(value)


set_model_encoder(_model_to_bson)
