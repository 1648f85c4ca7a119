"""Updates of objects in place: what the caller holds stays part of the model.

A mutable value gets the contents of the new one. An immutable value is replaced, and the mutable
values inside it move into the new one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from bson import ObjectId
from pydantic import BaseModel

from ..type_guards import is_mapping
from ..types.registry import entry_of
from ..types.values import key_to_bson
from .list_alignment import by_content, by_position

_ABSENT = object()
# Types that hold no other values, for a quick look.
_SCALARS = frozenset(
    {str, int, bool, float, bytes, type(None), ObjectId, datetime, date, Decimal, UUID}
)


def adopt(
    model: BaseModel, fresh: BaseModel, names: Sequence[str], *, is_aligned: bool = False
) -> None:
    """Give an object the values of some fields of another, and its extra fields, in place.

    Parameters:
        model: The object.
        fresh: An object that nothing else uses; parts of it become parts of the first one.
        names: The fields.
        is_aligned: Whether no item of a list has been inserted, removed or moved. If some may have
            been, items are the same that have the same content or the same neighbour.
    """
    update = _InPlaceUpdate(is_aligned=is_aligned)
    values, fresh_values = vars(model), vars(fresh)
    for name in names:
        values[name] = update.value(values.get(name, _ABSENT), fresh_values.get(name))
    update.extra(model, fresh)


class _InPlaceUpdate:
    """One update of an object and of all that it holds."""

    def __init__(self, *, is_aligned: bool) -> None:
        self._pairs = by_position if is_aligned else by_content
        # The objects that were changed, by their ids, and what they were given: an object may be
        # at several places, which may differ now.
        self._given: dict[int, tuple[Any, Any]] = {}
        self._changes: tuple[tuple[type | tuple[type, ...], Callable[[Any, Any], Any]], ...] = (
            (dict, self._dict),
            ((list, deque), self._list),
            (tuple, self._tuple),
            ((set, bytearray), self._flat),
        )

    def value(self, old: Any, new: Any) -> Any:
        """Return what takes the place of `old`: the same object, if its type allows changes."""
        kind: type[Any] = type(new)  # pyright: ignore[reportUnknownVariableType]
        if kind in _SCALARS or old is new or old is _ABSENT:
            return new
        if isinstance(new, BaseModel):
            return self._model(old, new)
        for kinds, change in self._changes:
            if issubclass(kind, kinds):
                return change(old, new)
        if is_dataclass(kind):
            return self._dataclass(old, new)
        return old if type(old) is kind and _is_unknown(kind) and _is_equal(old, new) else new

    def extra(self, old: BaseModel, new: BaseModel) -> None:
        """Give a model the extra fields of another."""
        mine, extra = old.__pydantic_extra__, new.__pydantic_extra__
        if mine is not extra:
            merged = extra if extra is None else self._dict(mine, extra)
            object.__setattr__(old, "__pydantic_extra__", merged)

    def _can_get(self, old: Any, new: Any) -> bool:
        """Say whether an object can have these contents: it has no others at another place."""
        earlier = self._given.setdefault(id(old), (old, new))[1]
        return earlier is new or _is_equal(earlier, new)

    def _model(self, old: Any, new: BaseModel) -> BaseModel:
        if type(old) is not type(new):
            return new
        target: BaseModel = new
        if not new.model_config.get("frozen") and self._can_get(old, new):
            target = old
        values, mine, theirs = vars(target), vars(old), vars(new)
        for name in type(new).model_fields:
            values[name] = self.value(mine.get(name, _ABSENT), theirs[name])
        if target is old:
            self.extra(old, new)
        else:
            object.__setattr__(new, "__pydantic_private__", old.__pydantic_private__)
            if old.__pydantic_extra__ and new.__pydantic_extra__:
                self._fill(new.__pydantic_extra__, old.__pydantic_extra__, new.__pydantic_extra__)
        return target

    def _target(self, old: Any, new: Any, kinds: tuple[type, ...]) -> Any:
        """Return the old container if it can get the contents of the new one, else the new one."""
        is_same_kind = any(isinstance(old, kind) and isinstance(new, kind) for kind in kinds)
        return old if is_same_kind and self._can_get(old, new) else new

    def _dict(self, old: Any, new: dict[Any, Any]) -> dict[Any, Any]:
        return self._fill(self._target(old, new, (dict,)), old, new)

    def _fill(self, target: dict[Any, Any], old: Any, new: dict[Any, Any]) -> dict[Any, Any]:
        mine = {key_to_bson(key): item for key, item in old.items()} if is_mapping(old) else {}
        merged = {
            key: self.value(mine.get(key_to_bson(key), _ABSENT), item) for key, item in new.items()
        }
        target.clear()
        target.update(merged)
        return target

    def _list(self, old: Any, new: Any) -> Any:
        target = self._target(old, new, (list, deque))
        merged = self._items(old, new)
        target.clear()
        target.extend(merged)
        return target

    def _tuple(self, old: Any, new: tuple[Any, ...]) -> tuple[Any, ...]:
        merged = self._items(old, new)
        if all(mine is item for mine, item in zip(merged, new, strict=True)):
            return new
        make: Any = getattr(new, "_make", type(new))  # of a named tuple
        made: tuple[Any, ...] = make(merged)
        return made

    def _items(self, old: Any, new: Sequence[Any]) -> list[Any]:
        mine: list[Any] = [*old] if isinstance(old, list | tuple | deque) else []
        if not mine or all(type(item) in _SCALARS for item in new):
            return list(new)
        return [
            item if index is None else self.value(mine[index], item)
            for index, item in zip(self._pairs(mine, new), new, strict=True)
        ]

    def _flat(self, old: Any, new: Any) -> Any:
        """Return a set or a bytearray, whose items are replaced."""
        target = self._target(old, new, (set, bytearray))
        if target is old:
            target.clear()
            add = target.update if isinstance(new, set) else target.extend
            add(new)
        return target

    def _dataclass(self, old: Any, new: Any) -> Any:
        if type(old) is not type(new):
            return new
        kind: Any = type(new)  # pyright: ignore[reportUnknownVariableType]
        is_mutable = not kind.__dataclass_params__.frozen
        target = old if is_mutable and self._can_get(old, new) else new
        for field in fields(new):
            if hasattr(new, field.name):
                mine = getattr(old, field.name, _ABSENT)
                # The value has been validated, and a frozen object refuses assignments.
                value = self.value(mine, getattr(new, field.name))
                object.__setattr__(target, field.name, value)
        return target


_unknown: dict[type[Any], bool] = {}


def _is_unknown(kind: type[Any]) -> bool:
    """Say whether a type has no entry in the registry: its values may be mutable."""
    found = _unknown.get(kind)
    if found is None:
        found = _unknown[kind] = entry_of(kind) is None
    return found


def _is_equal(left: Any, right: Any) -> bool:
    """Say whether two values are equal; False if their type cannot tell."""
    try:
        return bool(left == right)
    except Exception:  # arrays, and other types whose comparison has no truth value
        return False
