"""The part of MongoDB's updates that Loom sends, applied to documents in memory."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from loom_async._core.model.bson_equality import MISSING, as_bytes
from loom_async._core.model.update_document import Update


def applied(update: Update, document: dict[str, Any]) -> dict[str, Any]:
    """Return a document after an update: operators, or an aggregation pipeline."""
    document = deepcopy(document)
    if isinstance(update, dict):
        for operator, operands in update.items():
            for path, operand in operands.items():
                _apply_operator(operator, path.split("."), operand, document)
        return document
    for stage in update:
        document = _after_stage(stage, document)
    return document


def _apply_operator(operator: str, path: list[str], operand: Any, document: dict[str, Any]) -> None:
    *parents, last = path
    for parent in parents:
        document = _below(document, parent)
    name: Any = int(last) if isinstance(document, list) else last
    match operator:
        case "$set":
            document[name] = operand
        case "$unset":
            document.pop(name, None)
        case "$inc":
            document[name] = _value(document, name, 0) + operand
        case "$push":
            document[name] = _value(document, name, []) + operand["$each"]
        case "$addToSet":
            document[name] = _united(_value(document, name, []), operand["$each"])
        case _:
            raise AssertionError(operator)


def _below(holder: Any, key: str) -> Any:
    return holder[int(key)] if isinstance(holder, list) else holder.setdefault(key, {})


def _value(holder: Any, key: Any, default: Any) -> Any:
    return holder[key] if isinstance(holder, list) else holder.get(key, default)


def _united(array: list[Any], items: list[Any]) -> list[Any]:
    known = set(map(as_bytes, array))
    return array + [item for item in items if as_bytes(item) not in known]


def _after_stage(stage: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    ((operator, operand),) = stage.items()
    match operator:
        case "$set":
            values = {name: evaluated(operand[name], document) for name in operand}
            kept = {name: value for name, value in values.items() if value is not MISSING}
            return {k: v for k, v in document.items() if k not in values} | kept
        case "$unset":
            return {name: value for name, value in document.items() if name != operand}
        case "$replaceWith":
            replacement: dict[str, Any] = evaluated(operand, document)
            return replacement
        case _:
            raise AssertionError(operator)


def evaluated(expression: Any, root: dict[str, Any]) -> Any:
    """Return the value of an aggregation expression; `MISSING` for none."""
    if not isinstance(expression, dict):
        return _plain_value(expression, root)
    ((operator, operand),) = expression.items()
    match operator:
        case "$literal":
            return operand
        case "$getField":
            holder = evaluated(operand["input"], root)
            name = evaluated(operand["field"], root)
            return MISSING if holder is MISSING else holder.get(name, MISSING)
        case "$setField":
            return _with_field(operand, root)
        case "$type":
            return "missing" if evaluated(operand, root) is MISSING else "another"
        case "$cond":
            condition, *results = operand
            return evaluated(results[not evaluated(condition, root)], root)
        case _:
            return _of_two(operator, *(evaluated(item, root) for item in operand))


def _of_two(operator: str, left: Any, right: Any) -> Any:
    match operator:
        case "$add":
            return left + right
        case "$eq":
            return as_bytes(left) == as_bytes(right)
        case "$ifNull":
            return right if left is MISSING or left is None else left
        case "$concatArrays":
            return left + right
        case "$setDifference":
            return _united(right, left)[len(right) :]
        case _:
            raise AssertionError(operator)


def _plain_value(expression: Any, root: dict[str, Any]) -> Any:
    match expression:
        case "$$ROOT":
            return root
        case "$$REMOVE":
            return MISSING
        case str() if expression.startswith("$"):
            return root.get(expression[1:], MISSING)
        case _:
            return expression


def _with_field(operand: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    holder, name = evaluated(operand["input"], root), evaluated(operand["field"], root)
    value = evaluated(operand["value"], root)
    others = {key: item for key, item in holder.items() if key != name}
    return others if value is MISSING else {**others, name: value}
