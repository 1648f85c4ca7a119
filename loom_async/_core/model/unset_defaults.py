"""Defaults that are neither stored nor assigned: they are no edits."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import Field, fields, is_dataclass
from functools import cache
from typing import Any, cast

from pydantic import BaseModel

from ..type_guards import is_dict, is_list, is_mapping
from ..types.record_fields import record_fields
from ..types.values import key_to_bson
from .codecs import model_codec
from .core_schemas import nodes

_ABSENT: dict[str, Any] = {}


def forget_unset_defaults(value: Any, stored: Any, before: Any, after: Any) -> None:
    """Give the earlier state of an object those defaults of its present state that are no edits.

    A default factory (a UUID, a time) returns another value each time. A scalar that is not stored
    and was never assigned cannot have been edited.

    Parameters:
        value: The object, or a part of it.
        stored: Its part of the document as it was loaded.
        before: What the loaded document is validated and encoded to; it is changed.
        after: What the object encodes to now.
    """
    if is_dict(before) and is_dict(after):
        if isinstance(value, BaseModel) and not value.__pydantic_root_model__:
            _in_model(value, stored if is_dict(stored) else _ABSENT, before, after)
        elif is_dataclass(value):
            _in_dataclass(value, stored if is_dict(stored) else _ABSENT, before, after)
        elif is_mapping(value):
            for key, item in value.items():
                name = key_to_bson(key)
                if is_dict(stored) and name in stored and name in before:
                    forget_unset_defaults(item, stored[name], before[name], after.get(name))
    elif isinstance(value, BaseModel):
        forget_unset_defaults(vars(value).get("root"), stored, before, after)
    elif is_list(before) and is_list(after) and isinstance(value, list | tuple | deque):
        present = cast("Iterable[Any]", value)
        items = stored if is_list(stored) else [None] * len(before)
        for item, *parts in zip(present, items, before, after, strict=False):
            forget_unset_defaults(item, *parts)


# Factories that return the same value each time.
_STABLE = frozenset({list, dict, set, frozenset, tuple, deque, str, int, float, bool, bytes})


@cache
def has_unstable_defaults(model: type[BaseModel]) -> bool:
    """Say whether a default may differ each time, in a model or a part of it, but for its id."""
    id_factory = model.model_fields["id"].default_factory if "id" in model.model_fields else None
    factories = [node["default_factory"] for node in nodes(model) if "default_factory" in node]
    if id_factory in factories:
        factories.remove(id_factory)  # an id is always stored
    return not _STABLE.issuperset(factories)


def _in_model(
    model: BaseModel, stored: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> None:
    for field in model_codec(type(model)).fields:
        name = field.stored_name
        if name not in before or name not in after:
            continue
        if field.codec.is_scalar:
            if name not in stored and field.name not in model.__pydantic_fields_set__:
                before[name] = after[name]
        elif name in stored or field.name not in model.__pydantic_fields_set__:
            value = vars(model)[field.name]
            forget_unset_defaults(value, stored.get(name), before[name], after[name])


def _in_dataclass(
    value: Any, stored: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> None:
    kind: Any = type(value)  # pyright: ignore[reportUnknownVariableType]
    stored_names = _stored_names(kind)
    for field in fields(value):
        name = stored_names[field.name]
        if name not in before or name not in after:
            continue
        if name not in stored and _is_unstable(field):
            before[name] = after[name]
        else:
            part = getattr(value, field.name)
            forget_unset_defaults(part, stored.get(name), before[name], after[name])


@cache
def _stored_names(kind: type[Any]) -> dict[str, str]:
    return {field.name: field.stored_name for field in record_fields(kind)}


def _is_unstable(field: Field[Any]) -> bool:
    """Say whether a field has another default each time: dataclasses do not tell what was set."""
    make = field.default_factory
    if make is NO_DEFAULT:
        return False
    one, two = make(), make()
    return type(one) is not type(two) or one != two
