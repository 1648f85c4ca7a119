"""Changes as a MongoDB update: operators where they can say it, else an aggregation pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, assert_never

from .diff import AddToSet, Change, Inc, Path, Push, Set, Unset

Update: TypeAlias = dict[str, Any] | list[dict[str, Any]]


def render(changes: Sequence[Change]) -> Update:
    """Return the update document, or pipeline, that makes all changes at once.

    Dotted paths cannot name keys that are empty, hold a dot or begin with a dollar sign, and
    `$inc` cannot start from another value than zero. A pipeline can do both, by `$setField` and
    `$ifNull` (MongoDB manual, "Updates with Aggregation Pipeline" and "$setField").

    Parameters:
        changes: At least one change; no path begins with another.

    Example:
        >>> render([Set(("address", "city"), "Brno"), Inc(("visits",), 1)])
        {'$set': {'address.city': 'Brno'}, '$inc': {'visits': 1}}
    """
    update: dict[str, Any] = {}
    for change in changes:
        if not (is_dotted(change.path) and _has_operator(change)):
            return [_stage(change) for change in changes]
        operator, operand = _operator(change)
        update.setdefault(operator, {})[".".join(change.path)] = operand
    return update


def only_sets(update: Update) -> bool:
    """Say whether an update leaves the same values however the document was: `$set`, `$unset`."""
    return isinstance(update, dict) and update.keys() <= {"$set", "$unset", "$addToSet"}


def is_dotted(path: Path) -> bool:
    """Say whether a dotted path can name all the keys of a path."""
    return all(map(_is_plain, path))


def _is_plain(key: str) -> bool:
    return bool(key) and "." not in key and not key.startswith("$")


def _has_operator(change: Change) -> bool:
    return not (isinstance(change, Inc) and change.start is not None)


def _operator(change: Change) -> tuple[str, Any]:
    match change:
        case Set():
            return "$set", change.value
        case Unset():
            return "$unset", ""
        case Inc():
            return "$inc", change.by
        case Push():
            return "$push", {"$each": change.items}
        case AddToSet():
            return "$addToSet", {"$each": change.items}
        case _:
            assert_never(change)


def _stage(change: Change) -> dict[str, Any]:
    first, *rest = change.path
    if not _is_plain(first):
        return {"$replaceWith": _placed("$$ROOT", change.path, change)}
    if isinstance(change, Unset) and not rest:
        return {"$unset": first}
    return {"$set": {first: _placed(f"${first}", tuple(rest), change)}}


def field_expression(path: Path) -> Any:
    """Return the expression of the value at a path, whatever its keys."""
    value: Any = "$$ROOT"
    for key in path:
        value = {"$getField": {"field": {"$literal": key}, "input": value}}
    return value


def _placed(holder: Any, path: Path, change: Change) -> Any:
    """Return an expression of `holder` with the change made at `path` below it."""
    if not path:
        return _new_value(holder, change)
    key = {"$literal": path[0]}
    if len(path) == 1 and isinstance(change, Unset):
        value: Any = "$$REMOVE"
    else:
        value = _placed({"$getField": {"field": key, "input": holder}}, path[1:], change)
    return {"$setField": {"field": key, "input": holder, "value": value}}


def _new_value(current: Any, change: Change) -> Any:
    match change:
        case Set():
            return {"$literal": change.value}
        case Inc():
            return {"$add": [{"$ifNull": [current, change.start or 0]}, change.by]}
        case Push():
            return {"$concatArrays": [current, {"$literal": change.items}]}
        case AddToSet():
            missing = {"$setDifference": [{"$literal": change.items}, current]}
            return {"$concatArrays": [current, missing]}
        case Unset():
            return "$$REMOVE"
        case _:
            assert_never(change)
