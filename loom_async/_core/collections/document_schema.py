"""The `$jsonSchema` of a model's documents: fields, required fields and defaults."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ..errors import ConfigurationError, EncodingError
from ..model.codecs import codec_of, model_codec, stored_name
from ..model.polymorphism import Family, family_of, leaves_out_none
from ..types.shapes import shape_of
from .value_schema import Schema, any_of, is_filled_in, one_of, or_null, type_schema

_CHANGING = ("after", "wrap", "plain")


def document_schema(model: type[BaseModel]) -> Schema:
    """Return the `$jsonSchema` that every document of a model passes.

    Fields that Loom fills in are never null, and `_id` is required.

    Parameters:
        model: A persistable model; with a discriminator, documents of all its classes pass.

    Raises:
        ConfigurationError: The model is a subclass that shares the collection with other classes.

    Example:
        >>> from pydantic import BaseModel
        >>> class Point(BaseModel):
        ...     x: int
        >>> document_schema(Point)["properties"]
        {'x': {'bsonType': ['int', 'long']}}
    """
    family = family_of(model)
    if family is None:
        return _document_schema(model)
    if model is not family.root:
        raise ConfigurationError(
            f"documents of {model.__name__} are not alone in their collection",
            hint=f"await {family.root.__name__}.ensure_validator() covers all classes in it",
        )
    schemas = [_member_schema(member, family) for member in family.members(model)]
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _member_schema(model: type[BaseModel], family: Family) -> Schema:
    """Return the schema of one class of a family; a document of the root may lack the tag."""
    found = _document_schema(model)
    name = family.discriminator
    found["properties"][name] = {"enum": [family.tag(model)]}
    if model is not family.root:
        found["required"] = [*found["required"], name]
    return found


def _document_schema(model: type[BaseModel]) -> Schema:
    found = _model_schema(model, ())
    if "_id" in found.get("properties", {}):
        found["required"] = list(dict.fromkeys(["_id", *found.get("required", [])]))
    return found


def _model_schema(model: type[BaseModel], outer: tuple[type[BaseModel], ...]) -> Schema:
    if model in outer:
        return {"bsonType": "object"}  # MongoDB's $jsonSchema has no $ref
    within = (*outer, model)
    if model.__pydantic_root_model__:
        root = model.model_fields["root"]
        return _field_schema(model, "root", root, within)
    properties = {
        stored_name(name, info): _field_schema(model, name, info, within)
        for name, info in model.model_fields.items()
    }
    may_lack = model_codec(model).sparse.names if leaves_out_none(within[0]) else ()
    needed = [
        stored_name(name, info)
        for name, info in model.model_fields.items()
        if info.is_required() and not is_filled_in(info.metadata)
    ]
    found: Schema = {"bsonType": "object"}
    if needed := [name for name in needed if _can_be_named(name) and name not in may_lack]:
        found["required"] = needed
    found["properties"] = {k: v for k, v in properties.items() if _can_be_named(k)}
    if model.model_config.get("extra") == "forbid" and all(map(_can_be_named, properties)):
        found["additionalProperties"] = False
    return found


def _can_be_named(name: str) -> bool:
    # The server reads a dotted name as a path; an empty name crashes MongoDB 6.0.
    return bool(name) and "." not in name and not name.startswith("$")


def _field_schema(
    model: type[BaseModel], name: str, info: FieldInfo, outer: tuple[type[BaseModel], ...]
) -> Schema:
    modes = _modes_of_validators(model, name)
    if "plain" in modes:
        return {}
    # A validator of the model may change the validated value, and a default is not validated.
    metadata = [item for item in info.metadata if not is_filled_in([item])]
    if modes or _is_made_unchecked(info):
        metadata.append(object())
    shape = shape_of(info.annotation, metadata)
    found = type_schema(shape, lambda inner: _model_schema(inner, outer))
    if is_filled_in(info.metadata):
        return or_null(found) if len(outer) > 1 else found
    return _with_default(found, info)


def _modes_of_validators(model: type[BaseModel], name: str) -> set[str]:
    """Return the modes of the model's validators that may change a field."""
    decorators = model.__pydantic_decorators__
    modes: set[str] = {
        found.info.mode
        for found in decorators.field_validators.values()
        if name in found.info.fields or "*" in found.info.fields
    }
    modes |= {found.info.mode for found in decorators.model_validators.values()}
    config = model.model_config
    if decorators.validators or decorators.root_validators:
        modes.add("after")  # validators in the style of pydantic 1
    if config.get("str_to_lower") or config.get("str_to_upper"):
        modes.add("after")
    return {mode for mode in modes if mode in _CHANGING}


def _is_made_unchecked(info: FieldInfo) -> bool:
    return info.default_factory is not None and not info.validate_default


def _with_default(found: Schema, info: FieldInfo) -> Schema:
    """Return a schema that also accepts the default, which pydantic does not validate."""
    default: Any = info.default
    if default is PydanticUndefined or not found:
        return found
    if default is None:
        return or_null(found)
    if _is_of(default, info):
        return found
    try:
        stored = codec_of(info.annotation, info.metadata).encode(default)
    except EncodingError:
        return found  # the default cannot be stored
    return any_of([found, one_of([stored])])


def _is_of(value: Any, info: FieldInfo) -> bool:
    annotated: Any = info.annotation
    for item in info.metadata:
        annotated = Annotated[annotated, item]
    try:
        TypeAdapter(annotated).validate_python(value, strict=True)
    except Exception:  # a validator may raise anything
        return False
    return True
