"""Assignments that a model's own validator makes: they validate the field, not the whole model.

Assignments are validated, and pydantic then calls the validators of the whole model again. One that
assigns to a field would call itself without end.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel
from pydantic_core import CoreSchema, SchemaValidator

from ..type_guards import is_dict
from .core_schemas import core_schema_of

#: The models whose validators are running, by identity, and how many run.
validating: dict[int, int] = {}


def mark_validators(schema: CoreSchema) -> None:
    """Have the `after` validators around the schema of a model note that they are running."""
    node: Any = schema
    while node["type"].startswith("function-"):
        if node["type"] == "function-after":
            function: dict[str, Any] = node["function"]
            if not hasattr(function["function"], "_loom_marks"):
                node["function"] = {**function, "function": _marking(function["function"])}
        node = node["schema"]


def _marking(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def marking(model: Any, *info: Any) -> Any:
        validating[id(model)] = validating.get(id(model), 0) + 1
        try:
            return function(model, *info)
        finally:
            validating[id(model)] -= 1
            if not validating[id(model)]:
                del validating[id(model)]

    marking._loom_marks = True  # type: ignore[attr-defined]
    return marking


def assign_inside(model: BaseModel, name: str, value: Any) -> bool:
    """Assign a field from within a validator of its model; return False if it is no field."""
    if name not in type(model).model_fields:
        return False
    _field_validator(type(model)).validate_assignment(model, name, value)
    return True


@functools.cache
def _field_validator(model: type[BaseModel]) -> SchemaValidator:
    """Return the validator of a model's fields, without those of the whole model."""
    schema = core_schema_of(model)
    definitions: list[Any] = []
    node = schema
    while node["type"] != "model":
        if node["type"] == "definitions":
            definitions = node["definitions"]
        if node["type"] == "definition-ref":
            node = next(one for one in definitions if one.get("ref") == node["schema_ref"])
        else:
            node = node["schema"]
    assert is_dict(node)
    if definitions:
        inner: Any = {"type": "definitions", "schema": node, "definitions": definitions}
    else:
        inner = node
    return SchemaValidator(inner, _use_prebuilt=False)
