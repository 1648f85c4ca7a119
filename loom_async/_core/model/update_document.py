"""Turns edits into a MongoDB update: operators if they suffice, else an aggregation pipeline."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias, assert_never

from .edited_document import edited_items
from .edits import AddToSet, Edit, EditItems, Inc, Path, Push, Replace, Set, Unset, edits_below

_PLAIN_KEY = re.compile(r"[^.$][^.]*")

Update: TypeAlias = dict[str, Any] | list[dict[str, Any]]
_PathEdit: TypeAlias = Set | Unset | Inc | Push | AddToSet | Replace


def render(edits: Sequence[Edit]) -> Update:
    """Return the update document, or pipeline, that makes all edits at once.

    Dotted paths cannot name keys that are empty, hold a dot or begin with a dollar sign, and
    `$inc` always starts from zero. A pipeline can do both, by `$setField` and `$ifNull` (MongoDB
    manual, "Updates with Aggregation Pipeline" and "$setField").

    Parameters:
        edits: At least one edit; no path begins with another.

    Example:
        >>> render([Set(("address", "city"), "Brno"), Inc(("visits",), 1)])
        {'$set': {'address.city': 'Brno'}, '$inc': {'visits': 1}}
    """
    update: dict[str, Any] = {}
    for edit in _by_path(edits):
        if not is_dotted(edit.path) or (isinstance(edit, Inc) and edit.start is not None):
            return [_stage(edit) for edit in edits]
        operator, operand = _operator(edit)
        update.setdefault(operator, {})[".".join(edit.path)] = operand
    return update


def _by_path(edits: Iterable[Edit]) -> Iterator[_PathEdit]:
    """Yield edits with the edits of items in place of those of their arrays."""
    for edit in edits:
        if isinstance(edit, EditItems):
            yield from _by_path(edits_below(edit.path, edit.edits))
        else:
            yield edit


def is_repeatable(update: Update) -> bool:
    """Say whether a second run of an update changes nothing: `$set`, `$unset` and `$addToSet`."""
    return isinstance(update, dict) and update.keys() <= {"$set", "$unset", "$addToSet"}


def is_dotted(path: Path) -> bool:
    """Say whether a dotted path can name all the keys of a path."""
    return all(map(_PLAIN_KEY.fullmatch, path))


def _operator(edit: _PathEdit) -> tuple[str, Any]:
    match edit:
        case Set() | Replace():
            return "$set", edit.value
        case Unset():
            return "$unset", ""
        case Inc():
            return "$inc", edit.by
        case Push():
            return "$push", {"$each": edit.items}
        case AddToSet():
            return "$addToSet", {"$each": edit.items}
        case _:
            assert_never(edit)


def _stage(edit: Edit) -> dict[str, Any]:
    first, *rest = edit.path
    if not is_dotted((first,)):
        return {"$replaceWith": _placed("$$ROOT", edit.path, edit)}
    if isinstance(edit, Unset) and not rest:
        return {"$unset": first}
    return {"$set": {first: _placed(f"${first}", tuple(rest), edit)}}


def field_expression(path: Path) -> Any:
    """Return the expression of the value at a path of any keys."""
    value: Any = "$$ROOT"
    for key in path:
        value = {"$getField": {"field": {"$literal": key}, "input": value}}
    return value


def _placed(holder: Any, path: Path, edit: Edit) -> Any:
    """Return an expression of `holder` after an edit at a path below it."""
    if not path:
        return _new_value(holder, edit)
    key = {"$literal": path[0]}
    if len(path) == 1 and isinstance(edit, Unset):
        value: Any = "$$REMOVE"
    else:
        value = _placed({"$getField": {"field": key, "input": holder}}, path[1:], edit)
    return {"$setField": {"field": key, "input": holder, "value": value}}


def _new_value(current: Any, edit: Edit) -> Any:
    match edit:
        case Set() | Replace():
            return {"$literal": edit.value}
        case EditItems():  # the condition of the update tells what the array is
            return {"$literal": edited_items(edit)}
        case Inc():
            return {"$add": [{"$ifNull": [current, edit.start or 0]}, edit.by]}
        case Push():
            return {"$concatArrays": [_array(current), {"$literal": edit.items}]}
        case AddToSet():
            missing = {"$setDifference": [{"$literal": edit.items}, _array(current)]}
            return {"$concatArrays": [_array(current), missing]}
        case Unset():
            return "$$REMOVE"
        case _:
            assert_never(edit)


def _array(current: Any) -> Any:
    """Return an expression of an array: empty if it is missing, of the wrong type if it is null.

    `$concatArrays` of null is null, whereas `$push` raises an error. For a string both do.
    """
    empty: list[Any] = []
    is_missing = {"$eq": [{"$type": current}, "missing"]}
    return {"$ifNull": [current, {"$cond": [is_missing, empty, "null"]}]}
