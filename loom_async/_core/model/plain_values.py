"""Values that are valid for sure: their types tell, so that they need no validation to be stored.

The checks are compiled from pydantic's core schemas. Where a schema has constraints or functions,
there is no check, and the value is validated.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeGuard
from uuid import UUID

from bson import ObjectId
from pydantic import BaseModel

from ..type_guards import is_dict, is_list
from .core_schemas import core_schema_of
from .type_checks import TEXT, Check, EachEntry, EachField, EachItem, ExactType, all_hold, exactly

_SCALARS: dict[str, type] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "bytes": bytes,
    "datetime": datetime,
    "date": date,
    "time": time,
    "timedelta": timedelta,
    "decimal": Decimal,
    "uuid": UUID,
}
_ITEMS: dict[str, type] = {"list": list, "set": set, "frozenset": frozenset}
# What a schema may have without a constraint on its values.
_FREE = frozenset(
    {"type", "ref", "metadata", "serialization", "microseconds_precision", "strict", "to_lower"}
    | {"to_upper", "items_schema", "keys_schema", "values_schema", "cls", "members", "sub_type"}
    | {"missing", "fail_fast"}
)


class PlainValues:
    """The checks of the fields of a model.

    Parameters:
        model: The model.
        with_constraints: Whether fields with constraints have a check as well, of the type alone.
    """

    def __init__(self, model: type[BaseModel], *, with_constraints: bool = False) -> None:
        self._with_constraints = with_constraints
        self._definitions: dict[str, Any] = {}
        self._compiled: dict[str, Check | None] = {}
        #: The checks by field name; None for a field whose values have to be validated.
        self.checks: dict[str, Check | None] = {}
        #: Whether functions validate the whole model.
        self.has_model_validators: bool = False
        schema = core_schema_of(model)
        while schema["type"] != "model-fields":
            if schema["type"] == "definitions":
                self._definitions = {one["ref"]: one for one in schema["definitions"]}
            self.has_model_validators |= schema["type"].startswith("function-")
            is_reference = schema["type"] == "definition-ref"
            schema = self._definitions[schema["schema_ref"]] if is_reference else schema["schema"]
            if schema["type"] not in _LAYERS and not schema["type"].startswith("function-"):
                return  # no fields: a root model
        is_limited = _limits_values(model)
        for name, field in schema["fields"].items():
            self.checks[name] = None if is_limited else self._check(field["schema"])

    def _check(self, schema: dict[str, Any]) -> Check | None:
        match schema["type"]:
            case "default":
                return self._check(schema["schema"])
            case "nullable":
                return _or_none(self._check(schema["schema"]))
            case "definition-ref":
                return self._reference(schema["schema_ref"])
            case "any":
                return Check(lambda _: True)
            case "json-or-python":
                return _object_id(schema)
            case "model":
                return self._model(schema)
            case kind if self._with_constraints or _FREE.issuperset(schema):
                return self._unlimited(kind, schema)
            case _:
                return None

    def _unlimited(self, kind: str, schema: dict[str, Any]) -> Check | None:
        """Return the check of a schema without constraints, or of the type alone."""
        if kind == "enum" or kind in _SCALARS:
            return exactly(_SCALARS.get(kind) or schema["cls"])
        if kind in _ITEMS:
            return self._items(_ITEMS[kind], schema.get("items_schema", {"type": "any"}))
        return self._entries(schema) if kind == "dict" else None

    def _items(self, kind: type, items: dict[str, Any]) -> Check | None:
        inner = self._check(items)
        if inner is None:
            return None
        if isinstance(inner, ExactType):
            kinds = {inner.kind}
            return Check(lambda value: _is(value, kind) and kinds.issuperset(map(type, value)))
        holds = inner.holds

        def all_hold(value: Any) -> bool:
            return _is(value, kind) and all(map(holds, value))

        return EachItem(all_hold, inner) if kind is list else Check(all_hold)

    def _entries(self, schema: dict[str, Any]) -> Check | None:
        keys = schema.get("keys_schema", {"type": "any"})
        inner = self._check(schema.get("values_schema", {"type": "any"}))
        if keys["type"] not in ("str", "any") or not _FREE.issuperset(keys) or inner is None:
            return None
        holds = inner.holds
        return EachEntry(
            lambda value: (
                is_dict(value)
                and type(value) is dict
                and TEXT.issuperset(map(type, value))
                and all(map(holds, value.values()))
            ),
            inner,
        )

    def _model(self, schema: dict[str, Any]) -> Check | None:
        model, fields = schema["cls"], schema["schema"]
        is_simple = fields["type"] == "model-fields" and not (
            schema.get("root_model") or schema.get("post_init") or schema.get("custom_init")
        )
        if not is_simple or model.model_config.get("extra") == "allow" or _limits_values(model):
            return None
        checks: dict[str, Check] = {}
        for name, field in fields["fields"].items():
            check = self._check(field["schema"])
            if check is None:
                return None
            checks[name] = check
        hold = all_hold(checks)
        return EachField(lambda value: type(value) is model and hold(value.__dict__), model, checks)

    def _reference(self, name: str) -> Check | None:
        if name not in self._compiled:
            self._compiled[name] = None  # a model that contains itself is validated
            self._compiled[name] = self._check(self._definitions[name])
        return self._compiled[name]


def _limits_values(model: type[BaseModel]) -> bool:
    """Say whether the configuration of a model has constraints on all strings or numbers."""
    config = model.model_config
    of_strings = any(value for key, value in config.items() if key.startswith("str_"))
    return of_strings or config.get("allow_inf_nan") is False


_LAYERS = ("definitions", "definition-ref", "model", "model-fields")


def _or_none(check: Check | None) -> Check | None:
    if check is None:
        return None
    holds = check.holds
    return Check(lambda value: value is None or holds(value))


def _is(value: Any, kind: type) -> TypeGuard[Collection[Any]]:
    return type(value) is kind


def _object_id(schema: dict[str, Any]) -> Check | None:
    choices = schema["python_schema"].get("choices", ())
    is_id = (
        is_list(choices)
        and bool(choices)
        and choices[0] == {"type": "is-instance", "cls": ObjectId}
    )
    return exactly(ObjectId) if is_id else None
