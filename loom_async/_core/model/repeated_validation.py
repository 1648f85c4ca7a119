"""Validators of stored values, which have passed the model's validators before.

A validator that changes the values that it has returned, as one that hashes a password does, would
change them at each load. So its result counts only if a second call changes nothing more: `strip`
applies to documents of other programs, while a hash is not hashed again. A time that had to be in
the future when it was assigned may have come by now.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic_core import SchemaValidator

from ..type_guards import is_dict, is_sequence
from .core_schemas import core_schema_of, nodes

_ABSENT = object()


class StoredValidators:
    """What validates the stored values of a model.

    Parameters:
        model: A pydantic model, or any type that pydantic validates.
    """

    def __init__(self, model: Any) -> None:
        is_model = inspect.isclass(model) and issubclass(model, BaseModel)
        kind: Any = model  # pyright: ignore[reportUnknownVariableType]
        if is_model and any(_is_changing(node) or _expires(node) for node in nodes(kind)):
            schema = _repeatable(core_schema_of(kind))
            # Without the validators that pydantic has built for the classes.
            one = SchemaValidator(schema, _use_prebuilt=False)
            many = SchemaValidator({"type": "list", "items_schema": schema}, _use_prebuilt=False)
            self.validate: Callable[..., Any] = one.validate_python
            self.validate_many: Callable[..., list[Any]] = many.validate_python
            self.validate_assignment: Callable[..., Any] = one.validate_assignment
            return
        self.validate = TypeAdapter(kind).validate_python
        listed: Any = types.GenericAlias(list, (kind,))
        self.validate_many = TypeAdapter(listed).validate_python
        if is_model:
            self.validate_assignment = kind.__pydantic_validator__.validate_assignment


_validators: dict[type[Any], StoredValidators] = {}


def stored_validators(model: type[Any]) -> StoredValidators:
    """Return the validators of a model's stored values, made on first use."""
    found = _validators.get(model)
    if found is None:
        found = _validators[model] = StoredValidators(model)
    return found


def _is_changing(node: dict[str, Any]) -> bool:
    """Say whether a schema calls a function that may change values each time."""
    if node.get("type") not in _GUARDS:
        return False
    module = getattr(node["function"]["function"], "__module__", None) or ""
    return module.partition(".")[0] not in ("pydantic", "pydantic_core", "loom_async")


def _expires(node: dict[str, Any]) -> bool:
    """Say whether a schema accepts a time only until it has come: `FutureDatetime`."""
    return node.get("now_op") == "future"


def _repeatable(schema: Any) -> Any:
    """Return a core schema whose functions leave alone what they have returned before."""
    if is_sequence(schema):
        return [_repeatable(item) for item in schema]
    if not is_dict(schema):
        return schema
    kept = ("metadata", "serialization")
    result = {k: v if k in kept else _repeatable(v) for k, v in schema.items()}
    if _expires(schema):
        del result["now_op"]
    if _is_changing(schema):
        function: dict[str, Any] = schema["function"]
        guard = _GUARDS[schema["type"]](function["function"])
        result["function"] = {**function, "function": guard}
    return result


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Guard a validator that gets a value, and perhaps pydantic's information about it."""

    def guarded(value: Any, *info: Any) -> Any:
        if isinstance(value, BaseModel):
            return _validated_model(value, lambda: function(value, *info))
        if is_dict(value):
            return _entries(value, lambda entries: function(entries, *info))
        return _result(value, function(value, *info), lambda found: function(found, *info))

    return guarded


def _guarded_wrap(function: Callable[..., Any]) -> Callable[..., Any]:
    """Guard a validator that calls the one inside it."""

    def guarded(value: Any, handler: Callable[[Any], Any], *info: Any) -> Any:
        result = function(value, handler, *info)
        if isinstance(result, BaseModel) or is_dict(value) or _is_same(result, value):
            return result
        return _result(handler(value), result, lambda found: function(found, handler, *info))

    return guarded


def _result(value: Any, result: Any, again: Callable[[Any], Any]) -> Any:
    """Return a validator's result if it stays as it is when validated again; else the value."""
    if result is value or type(result) is not type(value) or _is_same(result, value):
        return result
    return result if _is_stable(result, again) else value


def _is_stable(result: Any, again: Callable[[Any], Any]) -> bool:
    try:
        return _is_same(again(result), result)
    except (ValueError, AssertionError):  # the validator does not take its own result
        return False


def _entries(value: dict[str, Any], validate: Callable[[dict[str, Any]], Any]) -> Any:
    """Guard a validator of a dict, as one before a model is, entry by entry."""
    result = validate(dict(value))
    if not is_dict(result) or _is_same(result, value):
        return result
    try:
        second = validate(dict(result))
    except (ValueError, AssertionError):
        return result
    if not is_dict(second):
        return result
    return {
        key: item if _is_same(second.get(key, _ABSENT), item) else value.get(key, item)
        for key, item in result.items()
    }


def _validated_model(model: BaseModel, validate: Callable[[], Any]) -> Any:
    """Guard a validator of a whole model, which may assign to its fields."""
    before = dict(vars(model))
    result = validate()
    # Assignments that are validated exchange the dict of the attributes.
    once = {k: v for k, v in vars(model).items() if not _is_same(before.get(k, _ABSENT), v)}
    if result is not model or not once:
        return result
    try:
        validate()
        twice = dict(vars(model))
    except (ValueError, AssertionError):
        twice = {}
    for name, value in once.items():
        is_stable = _is_same(twice.get(name, _ABSENT), value)
        vars(model)[name] = value if is_stable else before.get(name, value)
    return result


def _is_same(left: Any, right: Any) -> bool:
    if left is right:
        return True
    try:
        return type(left) is type(right) and bool(left == right)
    except Exception:  # types whose comparison has no truth value
        return False


_GUARDS: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
    "function-after": _guarded,
    "function-before": _guarded,
    "function-plain": _guarded,
    "function-wrap": _guarded_wrap,
}
