"""Validates single fields of models and dataclasses, without their validators of the whole."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import (
    ArgsKwargs,
    ErrorDetails,
    InitErrorDetails,
    PydanticCustomError,
    PydanticKnownError,
    SchemaValidator,
)

from ..types.type_arguments import annotation_key
from .stored_dataclasses import needs_creation, stored_dataclass

Path: TypeAlias = tuple[Any, ...]


_fields_validators: dict[type[BaseModel], SchemaValidator] = {}
_record_validators: dict[Any, Any] = {}


def _fields_validator(model: type[BaseModel]) -> SchemaValidator:
    validator = _fields_validators.get(model)
    if validator is None:
        validator = _fields_validators[model] = _without_whole(model)
    return validator


def _without_whole(model: type[BaseModel]) -> SchemaValidator:
    """Return the part of a model's validator that validates its fields."""
    model.model_rebuild()
    definitions: list[Any] = []
    config: Any = None
    schema: Any = model.__pydantic_core_schema__
    while schema["type"] != "model-fields":
        if schema["type"] == "definitions":
            definitions = schema["definitions"]
        elif schema["type"] == "model":
            config = schema.get("config")
        if schema["type"] == "definition-ref":
            ref = schema["schema_ref"]
            schema = next(one for one in definitions if one["ref"] == ref)
        else:  # also a validator of the whole model, which wraps it
            schema = schema["schema"]
    whole: Any = {"type": "definitions", "schema": schema, "definitions": definitions}
    return SchemaValidator(whole, config)


def validated_field(model: BaseModel, name: str, value: Any) -> Any:
    """Return the value of a field that an assignment would set, by the field's validators alone.

    Raises:
        ValidationError: The value does not fit the field, or the field is frozen.
    """
    values, fields = vars(model), type(model).model_fields
    present = {field: values[field] for field in fields if field in values}
    present.update(model.__pydantic_extra__ or {})
    validator = _fields_validator(type(model))
    result: Any = validator.validate_assignment(present, name, value, by_alias=True, by_name=True)
    known, extra, _ = result
    return known[name] if name in known else extra[name]


def validated_whole(model: BaseModel) -> BaseModel:
    """Return what the validators of a whole model make of an object: usually the object itself.

    Raises:
        ValidationError: A validator refuses it.
    """
    validator = type(model).__pydantic_validator__
    result: BaseModel = validator.validate_python(model, by_alias=True, by_name=True)
    return result


def validated_record(annotation: Any, values: Mapping[str, Any]) -> Any:
    """Return a dataclass of these values, which are validated by its annotations.

    Parameters:
        annotation: The dataclass, with its type arguments if it has any.
        values: The values by name.

    Raises:
        ValidationError: A value does not fit.
    """
    kind: Any = get_origin(annotation) or annotation
    if needs_creation(kind):
        return stored_dataclass(annotation).create_of(values)
    key = annotation_key(annotation)
    validator = _record_validators.get(key)
    if validator is None:
        validator = _record_validators[key] = TypeAdapter(annotation).validator
    made: Any = object.__new__(kind)
    # As `__init__` does in a pydantic dataclass: a strict one is not made of a dict.
    validator.validate_python(
        ArgsKwargs((), dict(values)), self_instance=made, by_alias=True, by_name=True
    )
    return made


def record_values(record: Any) -> dict[str, Any]:
    """Return the values of a dataclass by name."""
    names = [field.name for field in dataclasses.fields(record)]
    return {name: getattr(record, name) for name in names if hasattr(record, name)}


def located_details(error: ValidationError, path: Path) -> Iterable[InitErrorDetails]:
    """Yield the details of an error in a nested value, with the path of the value before theirs."""
    for detail in error.errors(include_url=False):
        yield InitErrorDetails(
            type=_error_type(detail),
            loc=(*path, *detail["loc"]),
            input=detail["input"],
            ctx=detail.get("ctx", {}),
        )


def _error_type(detail: ErrorDetails) -> str | PydanticCustomError:
    kind: Any = detail["type"]
    message: Any = detail["msg"]
    try:
        is_known = PydanticKnownError(kind, detail.get("ctx")).message() == message
    except (KeyError, TypeError):
        is_known = False
    return kind if is_known else PydanticCustomError(kind, message)
