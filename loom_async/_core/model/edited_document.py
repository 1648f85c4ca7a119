"""Edits made in memory, as the server makes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from ..type_guards import is_dict, is_list
from .bson_equality import MISSING, as_bytes
from .edits import AddToSet, Edit, EditItems, Inc, Path, Push, Replace, Set, Unset

_Container: TypeAlias = dict[str, Any] | list[Any]


def edited(document: Mapping[str, Any], edits: Iterable[Edit]) -> dict[str, Any]:
    """Return a document as it is right after an update; the one that is given is not changed.

    Edits that depend on what another writer may have changed have the value that they had when the
    condition of the update was met.

    Parameters:
        document: A document.
        edits: The edits of the update; missing parents are created.

    Example:
        >>> edited({"a": {"b": 1}, "n": 1}, [Set(("a", "c"), 2), Inc(("n",), 4)])
        {'a': {'b': 1, 'c': 2}, 'n': 5}
    """
    result = dict(document)
    for edit in edits:
        _make(result, edit.path, edit)
    return result


def edited_items(edit: EditItems) -> list[Any]:
    """Return an array after its items have been changed."""
    result = list(edit.before)
    for inner in edit.edits:
        _make(result, inner.path, inner)
    return result


def _make(holder: _Container, path: Path, edit: Edit) -> None:
    """Make an edit at a path below a container, whose own containers are copied first."""
    for key in path[:-1]:
        below = _value_in(holder, key)
        copy = list(below) if is_list(below) else dict(below) if is_dict(below) else {}
        _set_in(holder, key, copy)
        holder = copy
    key = path[-1]
    if isinstance(edit, Unset):
        if is_dict(holder):
            holder.pop(key, None)
    else:
        _set_in(holder, key, _new_value(_value_in(holder, key), edit))


def _value_in(holder: _Container, key: str) -> Any:
    return holder.get(key, MISSING) if isinstance(holder, dict) else holder[int(key)]


def _set_in(holder: _Container, key: str, value: Any) -> None:
    if isinstance(holder, dict):
        holder[key] = value
    else:
        holder[int(key)] = value


def _new_value(current: Any, edit: Set | Replace | Inc | Push | AddToSet | EditItems) -> Any:
    match edit:
        case Set() | Replace():
            return edit.value
        case EditItems():
            return edited_items(edit)
        case Inc():
            start = (edit.start or 0) if current is MISSING or current is None else current
            return start + edit.by
        case Push():
            return [*(current if is_list(current) else ()), *edit.items]
        case AddToSet():
            present: list[Any] = list(current) if is_list(current) else []
            known = set(map(as_bytes, present))
            return present + [item for item in edit.items if as_bytes(item) not in known]


def value_at(document: Mapping[str, Any], path: Path) -> Any:
    """Return the value at a path; `MISSING` if there is none."""
    value: Any = document
    for key in path:
        if not is_dict(value) or key not in value:
            return MISSING
        value = value[key]
    return value
