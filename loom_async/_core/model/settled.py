"""Gives the objects that a caller holds the contents of their successors."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

from pydantic import BaseModel


def settled(old: Any, new: Any) -> Any:
    """Return the earlier object with the contents of its successor, if both have the same class.

    Models, dataclasses and dicts are changed in place. Of any other class, and of frozen ones, the
    successor itself is returned.

    Parameters:
        old: The object that the caller may hold.
        new: The validated successor; it may be the same object.
    """
    if old is new or type(old) is not type(new):
        return new
    if isinstance(old, BaseModel):
        if not (is_frozen(old) or old.__pydantic_root_model__):
            _settle_model(old, new)
            return old
    elif isinstance(old, dict):
        _settle_dict(cast("Any", old), new)
        return cast("Any", old)
    elif dataclasses.is_dataclass(old) and not is_frozen(old):
        for field in dataclasses.fields(old):
            if hasattr(new, field.name):
                value = settled(getattr(old, field.name, None), getattr(new, field.name))
                object.__setattr__(old, field.name, value)
        return old
    return new


def _settle_model(old: BaseModel, new: BaseModel) -> None:
    values, fresh = vars(old), vars(new)
    for name in type(old).model_fields:
        if name in fresh:
            values[name] = settled(values.get(name), fresh[name])
    object.__setattr__(old, "__pydantic_extra__", new.__pydantic_extra__)
    object.__setattr__(old, "__pydantic_fields_set__", new.__pydantic_fields_set__)


def _settle_dict(old: dict[Any, Any], new: dict[Any, Any]) -> None:
    items = {key: settled(old.get(key), value) for key, value in new.items()}
    # Not by the methods of a subclass: a Counter's `update` adds.
    plain: Any = dict
    plain.clear(old)
    plain.update(old, items)


def is_frozen(value: Any) -> bool:
    """Say whether the fields of a model or a dataclass cannot be assigned."""
    if isinstance(value, BaseModel):
        return bool(value.model_config.get("frozen"))
    parameters = getattr(value, "__dataclass_params__", None)
    return bool(getattr(parameters, "frozen", False))
