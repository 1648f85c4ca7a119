"""Chooses the codec of each annotation and of each model."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, partial
from typing import Annotated, Any, cast, get_origin

from bson import ObjectId
from pydantic import (
    BaseModel,
    Discriminator,
    PlainValidator,
    TypeAdapter,
)
from pydantic.errors import PydanticSchemaGenerationError
from pydantic.fields import FieldInfo

from ..errors import ConfigurationError, InvalidDocument, LoomError
from ..type_guards import is_dict
from ..types import forms
from ..types.codec import ANY, Codec, Forms
from ..types.containers import ArrayCodec, FixedArrayCodec, MappingCodec, SetCodec
from ..types.custom import (
    DeferredCodec,
    EncodedCodec,
    HiddenCodec,
    JsonTextCodec,
    ProvenCodec,
    PydanticCodec,
    StoredAsCodec,
)
from ..types.keys import key_codec
from ..types.record_fields import input_name_of
from ..types.registry import is_named_tuple, is_record
from ..types.scalars import ChoiceCodec, CounterCodec, NormalisedCodec, ObjectIdCodec, ScalarCodec
from ..types.shape_facts import bson_types, classes
from ..types.shapes import shape_of
from ..types.sparse import SparseDocument, SparseFamily
from ..types.stored_as import StoredName
from ..types.stored_type import Kind
from ..types.type_arguments import annotation_key
from ..types.unions import Option, UnionCodec
from ..types.values import is_ordered_enum, is_ordered_value, set_encoder, to_bson
from .family_fields import family_child, members_of
from .markers import CoalesceOnInsert, Increment, NormalizeValue, RefreshOnSet, Versioned
from .model_codec import ModelCodec, StoredField
from .named_tuple_codec import NamedTupleCodec
from .outer_config import Config, config_of, config_of_record, inside, outer_config
from .polymorphism import Family, family_of
from .record_codec import RecordCodec
from .root_model_codec import RootModelCodec
from .validation import class_of, validate


def codec_of(annotation: Any, metadata: Iterable[Any] = ()) -> Codec:
    """Return the codec of an annotation.

    Parameters:
        annotation: The annotation of a field, or a part of it.
        metadata: The metadata of `Annotated` that pydantic has already removed from it.
    """
    return _codec(shape_of(annotation, metadata))


def _codec(shape: forms.Shape) -> Codec:
    codec = _unmarked(shape)
    for marker in shape.metadata:
        if isinstance(marker, Increment):
            codec = CounterCodec()
        elif isinstance(marker, NormalizeValue):
            codec = NormalisedCodec(codec, marker.function)
    return codec


def _unmarked(shape: forms.Shape) -> Codec:
    codec = _of_form(shape)
    is_replaced = any(isinstance(marker, PlainValidator) for marker in shape.metadata)
    if is_replaced and not isinstance(codec, PydanticCodec):
        return ProvenCodec(codec, _annotated(shape))
    return codec


def _annotated(shape: forms.Shape) -> Any:
    """Return the annotation of a shape with its metadata."""
    annotation = shape.annotation
    for item in shape.metadata:
        annotation = Annotated[annotation, item]
    return annotation


def _of_form(shape: forms.Shape) -> Codec:
    match shape.form:
        case forms.Scalar(entry=entry):
            return ObjectIdCodec(entry) if ObjectId in entry.classes else ScalarCodec(entry)
        case forms.Member(enum):
            codec = ChoiceCodec(enum, is_ordered=is_ordered_enum(enum))
            codec.normalises = outer_config().uses_enum_values
            return codec
        case forms.OneOf(values):
            return _literal(values)
        case forms.Model(model):
            return _model(model)
        case forms.Record(annotation=annotation):
            return _record(annotation)
        case forms.AnyOf(options):
            return _union(shape, options)
        case forms.Items() as form:
            return _array(form)
        case forms.Entries() as form:
            return _mapping(form)
        case _:
            return _of_other_form(shape)


def _of_other_form(shape: forms.Shape) -> Codec:
    match shape.form:
        case forms.Hidden(value=value):
            return HiddenCodec(_codec(value))
        case forms.Chosen(marker, stored):
            return StoredAsCodec(marker, _codec(stored))
        case forms.Encoded(marker):
            return EncodedCodec(marker)
        case forms.JsonText():
            return JsonTextCodec(_annotated(shape))
        case forms.Recursive(annotation):
            return DeferredCodec(lambda: codec_of(annotation))
        case forms.BsonValue():
            return ScalarCodec()
        case forms.Other():
            return _other(shape)
        case _:
            return ANY


def _mapping(form: forms.Entries) -> Codec:
    origin = get_origin(form.annotation) or form.annotation
    value = ANY if form.value is None else _codec(form.value)
    return MappingCodec(key_codec(form.key), value, is_abstract=inspect.isabstract(origin))


def _literal(values: tuple[Any, ...]) -> Codec:
    kinds: set[type[Any]] = {type(value) for value in values}
    is_ordered = len(kinds) == 1 and all(map(is_ordered_value, values))
    return ChoiceCodec(values, is_ordered=is_ordered)


def _array(form: forms.Items) -> Codec:
    codecs = [_codec(item) for item in form.items]
    is_abstract = inspect.isabstract(form.origin)
    if form.is_fixed and len(codecs) > 1:
        return FixedArrayCodec(_item_of_any(form.items), codecs)
    item = codecs[0] if codecs else ANY
    if not form.is_set:
        return ArrayCodec(item, is_abstract=is_abstract)
    if not item.is_deterministic:
        raise ConfigurationError("equal items of a set need the same stored form", hint=_CHOOSE)
    return SetCodec(item, is_abstract=is_abstract)


def _item_of_any(items: tuple[forms.Shape, ...]) -> Codec:
    """Return the codec of any item of a tuple, which a query compares with all of them."""
    options = [_option(item) for item in items]
    return UnionCodec(options, Any, is_discriminated=True)


def _union(shape: forms.Shape, options: tuple[forms.Shape, ...]) -> Codec:
    if any(isinstance(option.form, forms.Anything) for option in options):
        return ANY
    each = [_option(option) for option in options]
    families = {o.codec.family if isinstance(o.codec, FamilyCodec) else None for o in each}
    if len(families) == 1 and (family := families.pop()) is not None:
        return FamilyCodec(family.root, family)
    is_discriminated = any(_names_the_option(item) for item in shape.metadata)
    return UnionCodec(each, _annotated(shape), is_discriminated=is_discriminated)


def _names_the_option(item: Any) -> bool:
    return isinstance(item, Discriminator) or getattr(item, "discriminator", None) is not None


def _option(shape: forms.Shape) -> Option:
    return Option(_codec(shape), _annotated(shape), classes(shape), bson_types(shape))


_CHOOSE = "choose a stored form: Annotated[…, lm.StoredAs(str, encode=…, decode=…)]"
# The core schemas of pydantic that accept objects which it cannot write to JSON.
_UNWRITABLE = ("is-instance", "is-subclass", "callable", "generator")


def _other(shape: forms.Shape) -> Codec:
    annotation = _annotated(shape)
    try:
        schema: Any = TypeAdapter(annotation).core_schema
    except PydanticSchemaGenerationError:
        raise ConfigurationError("pydantic does not know it", hint=_CHOOSE) from None
    if schema["type"] in _UNWRITABLE and "serialization" not in schema:
        raise ConfigurationError("pydantic cannot write it to JSON and read it back", hint=_CHOOSE)
    return PydanticCodec(annotation)


_records: dict[Any, Codec] = {}


def _record(annotation: Any) -> Codec:
    config = config_of_record(annotation)
    key = annotation_key(annotation), config
    found = _records.get(key)
    if found is None:
        find = partial(_codec_within, config)
        if is_named_tuple(get_origin(annotation) or annotation):
            found = NamedTupleCodec(annotation, find)
        else:
            found = RecordCodec(annotation, find, allows_extra=config.allows_extra)
        _records[key] = found
    return found


def _codec_within(config: Config, annotation: Any, metadata: Iterable[Any] = ()) -> Codec:
    """Return the codec of an annotation inside a class with a configuration."""
    with inside(config):
        return codec_of(annotation, metadata)


def codec_of_view(view: Any) -> Codec:
    """Return the codec of a class of rows, which are loaded and not stored.

    Parameters:
        view: A pydantic model, a record, or any type that pydantic validates.
    """
    if not is_record(view) or is_named_tuple(view):
        return codec_of(view)
    config = config_of_record(view)
    return RecordCodec(
        view,
        partial(_codec_within, config),
        allows_extra=config.allows_extra,
        is_view=True,
    )


def _model(model: type[BaseModel]) -> Codec:
    if model.__pydantic_root_model__:
        root, config = model.model_fields["root"], config_of(model.model_config)
        return RootModelCodec(_codec_within(config, root.annotation, root.metadata))
    family = family_of(model)
    return model_codec(model) if family is None else FamilyCodec(model, family)


class FamilyCodec(Codec):
    """A model of a family inside another document; the tag in the document names its class."""

    forms = Forms(is_document=True, is_pattern=False)

    def __init__(self, model: type[Any], family: Family) -> None:
        self.model: type[Any] = model
        self.family: Family = family

    @cached_property
    def sparse(self) -> SparseFamily:  # type: ignore[override]
        """What each class of the family leaves out."""
        return SparseFamily(self._sparse_of, lambda: [codec.sparse for codec in self._members])

    def _sparse_of(self, document: Mapping[str, Any]) -> SparseDocument | None:
        try:
            return model_codec(class_of(self.model, document)).sparse
        except InvalidDocument:
            return None

    def decode(self, stored: Any) -> Any:
        if not is_dict(stored):
            return stored
        kind = class_of(self.model, stored)
        return validate(kind, model_codec(kind).decode(stored), stored)

    def literal(self, value: Any) -> Any:
        return model_codec(self.model).literal(value)

    def child(self, key: str) -> tuple[str, Codec] | None:
        return family_child(self._members, key)

    def stored_child(self, key: str) -> tuple[str, Codec] | None:
        found = (codec.stored_child(key) for codec in self._members)
        return next((hit for hit in found if hit is not None), None)

    def names(self) -> Iterable[str]:
        return {name for codec in self._members for name in codec.names()}

    @property
    def _members(self) -> list[ModelCodec]:
        """The codecs of the model and its subclasses, of which later imports add more."""
        return [model_codec(member) for member in members_of(self.model, self.family)]


_codecs: dict[type[BaseModel], ModelCodec] = {}


def model_codec(model: type[BaseModel]) -> ModelCodec:
    """Return the codec of a model, compiled on first use."""
    codec = _codecs.get(model)
    if codec is None:
        codec = _codecs[model] = ModelCodec(
            model,
            lambda: _stored_fields(model),
            partial(_codec_within, config_of(model.model_config)),
        )
    return codec


def stored_name(name: str, info: FieldInfo) -> str:
    """Return the name of a field in documents: its `StoredName`, or what validation reads."""
    own = next((item.name for item in info.metadata if isinstance(item, StoredName)), None)
    return input_name(name, info) if own is None else own


def input_name(name: str, info: FieldInfo) -> str:
    """Return the name of a field in what pydantic validates."""
    alias = input_name_of(info)
    return name if alias is None else alias


def _stored_fields(model: type[BaseModel]) -> Iterator[StoredField]:
    config = config_of(model.model_config)
    for name, info in model.model_fields.items():
        try:
            codec = _codec_within(config, info.annotation, info.metadata)
        except Exception as error:
            reason = error.message if isinstance(error, LoomError) else str(error)
            raise ConfigurationError(
                f"{model.__name__}.{name} has a type that Loom cannot store, {info.annotation!r}: "
                f"{reason}",
                hint=(error.hint if isinstance(error, LoomError) else None) or _CHOOSE,
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
            input_name=input_name(name, info) if StoredName in markers else "",
        )


def _model_to_bson(value: BaseModel) -> Any:
    if value.__pydantic_root_model__:
        return to_bson(cast("Any", value).root)
    return model_codec(type(value)).encode(value)


def _record_to_bson(value: Any) -> Any:
    return _record(type(value)).encode(value)


set_encoder(Kind.MODEL, _model_to_bson)
set_encoder(Kind.RECORD, _record_to_bson)
