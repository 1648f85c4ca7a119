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
from copy import copy
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic_core import SchemaValidator

from ..type_guards import is_dict, is_sequence
from .core_schemas import core_schema_of, nodes, reads_names
from .document import DocumentModel
from .post_init import run_post_init

_ABSENT = object()


class StoredValidators:
    """What validates the stored values of a model.

    Parameters:
        model: A pydantic model, or any type that pydantic validates.
    """

    def __init__(self, model: Any) -> None:
        is_model = inspect.isclass(model) and issubclass(model, BaseModel)
        kind: Any = model  # pyright: ignore[reportUnknownVariableType]
        #: Whether the values may have the names of fields besides their aliases.
        self.by_name: bool = not is_model or reads_names(nodes(kind))
        if is_model and any(map(_is_repeated, nodes(kind))):
            # The method of a view may change its fields, which are not stored as such.
            view = None if issubclass(kind, DocumentModel) else kind
            schema = repeatable(core_schema_of(kind), view)
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


def _is_repeated(node: dict[str, Any]) -> bool:
    """Say whether a schema may change or refuse values that it has returned."""
    return _is_changing(node) or _expires(node) or _has_post_init(node) or _revalidates(node)


def _revalidates(node: dict[str, Any]) -> bool:
    """Say whether a schema validates objects again, which the codec of a record has created."""
    config: dict[str, Any] = node.get("config") or {}
    return node.get("type") == "dataclass" and "revalidate_instances" in config


def _has_post_init(node: dict[str, Any]) -> bool:
    """Say whether a schema calls the `model_post_init` of a user's model."""
    if node.get("type") != "model" or not node.get("post_init"):
        return False
    method = getattr(node["cls"], node["post_init"])
    # pydantic's own, which creates private attributes.
    return method is not BaseModel.model_post_init and method.__name__ != "init_private_attributes"


def _is_changing(node: dict[str, Any]) -> bool:
    """Say whether a schema calls a function that may change values each time."""
    if node.get("type") not in _GUARDS:
        return False
    module = getattr(node["function"]["function"], "__module__", None) or ""
    return module.partition(".")[0] not in ("pydantic", "pydantic_core", "loom_async")


def _expires(node: dict[str, Any]) -> bool:
    """Say whether a schema accepts a time only until it has come: `FutureDatetime`."""
    return node.get("now_op") == "future"


def repeatable(schema: Any, view: type[Any] | None = None) -> Any:
    """Return a core schema whose functions leave alone what they have returned before.

    Parameters:
        schema: The core schema.
        view: A class whose own `model_post_init` may change values.
    """
    if is_sequence(schema):
        return [repeatable(item, view) for item in schema]
    if not is_dict(schema):
        return schema
    kept = ("metadata", "serialization")
    result = {k: v if k in kept else repeatable(v, view) for k, v in schema.items()}
    if _expires(schema):
        del result["now_op"]
    if _revalidates(schema):
        result["config"] = {**schema["config"], "revalidate_instances": "never"}
    if _is_changing(schema):
        function: dict[str, Any] = schema["function"]
        guard = _GUARDS[schema["type"]](function["function"])
        result["function"] = {**function, "function": guard}
    is_guarded = _has_post_init(schema) and schema["cls"] is not view
    return _with_guarded_post_init(result) if is_guarded else result


def _with_guarded_post_init(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a model whose `model_post_init` does not change what is stored."""
    name = schema["post_init"]

    def create(value: Any, handler: Callable[[Any], Any], info: Any) -> Any:
        model: BaseModel = handler(value)
        if model is not value:
            stored = (*model.model_fields_set, "__pydantic_extra__")
            run_post_init(model, stored, lambda: getattr(model, name)(info.context))
        return model

    inner = {key: item for key, item in schema.items() if key not in ("post_init", "ref")}
    outer = {key: item for key, item in schema.items() if key == "ref"}
    function = {"type": "with-info", "function": create}
    return {**outer, "type": "function-wrap", "function": function, "schema": inner}


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Guard a validator that gets a value, and perhaps pydantic's information about it."""

    def guarded(value: Any, *info: Any) -> Any:
        if _has_attributes(value):
            before = _attributes(value)
            result = function(value, *info)
            if result is value:
                return _undone(value, before, lambda: function(value, *info))
            return _result(value, result, lambda found: function(found, *info))
        if is_dict(value):
            return _entries(value, lambda entries: function(entries, *info))
        return _result(value, function(value, *info), lambda found: function(found, *info))

    return guarded


def _guarded_wrap(function: Callable[..., Any]) -> Callable[..., Any]:
    """Guard a validator that calls the one inside it."""

    def guarded(value: Any, handler: Callable[[Any], Any], *info: Any) -> Any:
        before = _attributes(value) if _has_attributes(value) else None
        result = function(value, handler, *info)
        if _has_attributes(result):
            inner = value if before is not None else handler(value)
            if type(inner) is not type(result):
                return result
            before = _attributes(inner) if before is None else before
            return _undone(result, before, lambda: function(result, handler, *info))
        if is_dict(value) or _is_same(result, value):
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


def _undone(held: Any, before: dict[str, Any], again: Callable[[], Any]) -> Any:
    """Return a validated model or dataclass without the changes that a second call repeats.

    Parameters:
        held: The object as a validator has left it.
        before: Its attributes before that.
        again: Calls the validator with the object.
    """
    # Assignments that are validated exchange the dict of the attributes.
    once = {k: v for k, v in _attributes(held).items() if not _is_same(before.get(k, _ABSENT), v)}
    if not once:
        return held
    try:
        found = again()
        twice = _attributes(found) if type(found) is type(held) else {}
    except (ValueError, AssertionError):
        twice = {}
    for name, value in once.items():
        is_stable = _is_same(twice.get(name, _ABSENT), value)
        object.__setattr__(held, name, value if is_stable else before.get(name, value))
    return held


def _has_attributes(value: Any) -> bool:
    return isinstance(value, BaseModel) or (is_dataclass(value) and not isinstance(value, type))


def _attributes(held: Any) -> dict[str, Any]:
    """Return the attributes of an object, with copies of the containers that may be edited."""
    if isinstance(held, BaseModel):
        return {name: _copied(value) for name, value in vars(held).items()}
    names = [field.name for field in fields(held) if hasattr(held, field.name)]
    return {name: _copied(getattr(held, name)) for name in names}


def _copied(value: Any) -> Any:
    return copy(value) if type(value) in (list, dict, set) else value


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
