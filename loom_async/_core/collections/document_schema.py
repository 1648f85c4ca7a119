"""The schema of a model's documents: its fields, those that must be there, and their defaults."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ..errors import ConfigurationError, EncodingError
from ..model.annotations import codec_of, stored_name
from ..model.polymorphism import Family, family_of
from ..types.shapes import shape_of
from .annotation_schema import Schema, any_of, is_filled_in, one_of, or_null, type_schema

_CHANGING = ("after", "wrap", "plain")


def document_schema(model: type[BaseModel]) -> Schema:
    """Return the `$jsonSchema` that every document of a model passes.

    Fields that the library fills in are never null, and the id is always there.

    Parameters:
        model: A persistable model; for one with a discriminator, any of its classes passes.

    Raises:
        ConfigurationError: It is a subclass that shares the collection with others.

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
    """Return the schema of one of several classes; a document of the root may lack its tag."""
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
        return {"bsonType": "object"}  # the server knows no references
    within = (*outer, model)
    if model.__pydantic_root_model__:
        root = model.model_fields["root"]
        return _field_schema(model, "root", root, within)
    properties = {
        stored_name(name, info): _field_schema(model, name, info, within)
        for name, info in model.model_fields.items()
    }
    needed = [
        stored_name(name, info)
        for name, info in model.model_fields.items()
        if info.is_required() and not is_filled_in(info.metadata)
    ]
    found: Schema = {"bsonType": "object"}
    if needed := [name for name in needed if _can_be_named(name)]:
        found["required"] = needed
    found["properties"] = {k: v for k, v in properties.items() if _can_be_named(k)}
    if model.model_config.get("extra") == "forbid" and all(map(_can_be_named, properties)):
        found["additionalProperties"] = False
    return found


def _can_be_named(name: str) -> bool:
    # The server takes a dotted name for a path; an empty one ends the process of MongoDB 6.0.
    return bool(name) and "." not in name and not name.startswith("$")


def _field_schema(
    model: type[BaseModel], name: str, info: FieldInfo, outer: tuple[type[BaseModel], ...]
) -> Schema:
    modes = _modes_of_validators(model, name)
    if "plain" in modes:
        return {}
    # A function of the model's may change what was checked, and nothing checks a default.
    metadata = [item for item in info.metadata if not is_filled_in([item])]
    if modes or _is_made_unchecked(info):
        metadata.append(object())
    shape = shape_of(info.annotation, metadata)
    found = type_schema(shape, lambda inner: _model_schema(inner, outer))
    if is_filled_in(info.metadata):
        return or_null(found) if len(outer) > 1 else found
    return _with_default(found, info)


def _modes_of_validators(model: type[BaseModel], name: str) -> set[str]:
    """Return how functions of the model change a field after it was checked."""
    decorators = model.__pydantic_decorators__
    modes: set[str] = {
        found.info.mode
        for found in decorators.field_validators.values()
        if name in found.info.fields or "*" in found.info.fields
    }
    modes |= {found.info.mode for found in decorators.model_validators.values()}
    config = model.model_config
    if decorators.validators or decorators.root_validators:
        modes.add("after")  # those of pydantic 1
    if config.get("str_to_lower") or config.get("str_to_upper"):
        modes.add("after")
    return {mode for mode in modes if mode in _CHANGING}


def _is_made_unchecked(info: FieldInfo) -> bool:
    return info.default_factory is not None and not info.validate_default


def _with_default(found: Schema, info: FieldInfo) -> Schema:
    """Let a default pass that the annotation would not: pydantic does not check it."""
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
        return found  # it cannot be stored either
    return any_of([found, one_of([stored])])


def _is_of(value: Any, info: FieldInfo) -> bool:
    annotated: Any = info.annotation
    for item in info.metadata:
        annotated = Annotated[annotated, item]
    try:
        TypeAdapter(annotated).validate_python(value, strict=True)
    except Exception:  # a validator of the user's may raise anything
        return False
    return True
