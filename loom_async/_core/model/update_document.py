"""Turns edits into a MongoDB update, and into the condition on which it applies.

An update has operators if they suffice, else it is an aggregation pipeline.

MongoDB creates the missing parents of a dotted path: an update of `address.city` gives a document
without an address the address `{"city": …}`, which the model may not accept. So each update has a
condition on the parents that it needs. If one is missing, another update sends that parent whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias, assert_never

from ..errors import OperationFailed
from ..server_codes import PATH_NOT_VIABLE
from ..type_guards import is_dict
from .diff import MISSING, AddToSet, Edit, Inc, Path, Push, Set, Unset

_OBJECT = {"$type": "object"}
_PLAIN_KEY = re.compile(r"[^.$][^.]*")

Update: TypeAlias = dict[str, Any] | list[dict[str, Any]]


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
    for edit in edits:
        if not is_dotted(edit.path) or (isinstance(edit, Inc) and edit.start is not None):
            return [_stage(edit) for edit in edits]
        operator, operand = _operator(edit)
        update.setdefault(operator, {})[".".join(edit.path)] = operand
    return update


def is_repeatable(update: Update) -> bool:
    """Say whether a second run of an update changes nothing: `$set`, `$unset` and `$addToSet`."""
    return isinstance(update, dict) and update.keys() <= {"$set", "$unset", "$addToSet"}


def is_dotted(path: Path) -> bool:
    """Say whether a dotted path can name all the keys of a path."""
    return all(map(_PLAIN_KEY.fullmatch, path))


def _operator(edit: Edit) -> tuple[str, Any]:
    match edit:
        case Set():
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
        case Set():
            return {"$literal": edit.value}
        case Inc():
            return {"$add": [{"$ifNull": [current, edit.start or 0]}, edit.by]}
        case Push():
            return {"$concatArrays": [current, {"$literal": edit.items}]}
        case AddToSet():
            missing = {"$setDifference": [{"$literal": edit.items}, current]}
            return {"$concatArrays": [current, missing]}
        case Unset():
            return "$$REMOVE"
        case _:
            assert_never(edit)


def parents_of(edits: Iterable[Edit]) -> dict[str, Any]:
    """Return the condition that the parents of all edited paths are documents."""
    condition: dict[str, Any] = {}
    expressions: list[Any] = []
    seen: set[Path] = {()}
    for edit in edits:
        parent = edit.path[:-1]
        if parent in seen:
            continue
        seen.add(parent)
        if is_dotted(parent):
            condition[".".join(parent)] = _OBJECT
        else:
            expressions.append({"$eq": [{"$type": field_expression(parent)}, "object"]})
    if expressions:
        condition["$expr"] = {"$and": expressions}
    return condition


def with_parents(
    edits: Sequence[Edit], after: Mapping[str, Any], stored: Mapping[str, Any]
) -> list[Edit]:
    """Return edits that do the same to a document in which some of their parents are missing.

    Parameters:
        edits: The edits of an update that did not find its parents.
        after: What the object encodes to.
        stored: The document as it is now.

    Raises:
        OperationFailed: A parent is a value other than a document.
    """
    complete: dict[Path, Edit] = {}
    for edit in edits:
        missing = _first_missing(edit.path, stored)
        if missing is None:
            complete[edit.path] = edit
        elif not isinstance(edit, Unset):
            complete[missing] = Set(missing, value_at(after, missing))
    return list(complete.values())


def _first_missing(path: Path, stored: Mapping[str, Any]) -> Path | None:
    for length in range(1, len(path)):
        value = value_at(stored, path[:length])
        if value is MISSING:
            return path[:length]
        if not is_dict(value):
            raise OperationFailed(
                f"{'.'.join(path)!r} cannot be changed: {'.'.join(path[:length])!r} is "
                f"{value!r} by now",
                code=PATH_NOT_VIABLE,
                hint="another writer changed the parent of this field; reload and try again",
            )
    return None


def value_at(document: Mapping[str, Any], path: Path) -> Any:
    """Return the value at a path; `MISSING` if there is none."""
    value: Any = document
    for key in path:
        if not is_dict(value) or key not in value:
            return MISSING
        value = value[key]
    return value
