"""Validators of single fields: of the values of a column, or of one value."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic_core import SchemaValidator

_validators: dict[tuple[type, str], SchemaValidator] = {}


def column_validator(model: type[BaseModel], name: str) -> SchemaValidator:
    """Return a validator of a list of values that validates each as the model validates a field.

    It applies the field's constraints and validators and the model's configuration, but not the
    validators of the whole model.

    Parameters:
        model: The model.
        name: The field's name.
    """
    found = _validators.get((model, name))
    if found is None:
        found = _validators[model, name] = _column_validator(model, name)
    return found


def _column_validator(model: type[BaseModel], name: str) -> SchemaValidator:
    schema: Any = model.__pydantic_core_schema__
    definitions: list[Any] = []
    config: Any = None
    while schema["type"] != "model-fields":
        if schema["type"] == "definitions":
            definitions += schema["definitions"]
        if schema["type"] == "definition-ref":
            reference = schema["schema_ref"]
            schema = next(one for one in definitions if one.get("ref") == reference)
            continue
        config = schema.get("config", config)
        schema = schema["schema"]
    items: Any = {"type": "list", "items_schema": schema["fields"][name]["schema"]}
    if definitions:
        items = {"type": "definitions", "schema": items, "definitions": definitions}
    return SchemaValidator(items, config)
