"""The updates of `directive.update`: fields to set, or MongoDB's own update operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import QueryError
from ..typing import is_mapping
from .paths import FieldResolver

# Operators whose operands are values of the field itself; those of the others are directions.
_VALUES = frozenset({"$set", "$setOnInsert", "$min", "$max", "$inc", "$mul"})
_ITEMS = frozenset({"$push", "$addToSet", "$pullAll"})


def compile_update(
    resolver: FieldResolver,
    values: Mapping[str, Any] | None,
    fields: Mapping[str, Any],
    *,
    stamps: Mapping[str, Any],
    revision: str | None = None,
) -> dict[str, Any]:
    """Return the MongoDB update.

    Parameters:
        resolver: The model's fields.
        values: Fields to set by dotted path, or update operators (`{"$inc": {"age": 1}}`).
        fields: More fields to set, by name.
        stamps: Stored names and encoded values that every write refreshes.
        revision: The stored name of the field that counts the writes.

    Raises:
        UnknownFieldError: The model lacks a field.
        QueryError: Nothing to update, or fields and operators mixed.
    """
    given = dict(values or {})
    operators = {key: operand for key, operand in given.items() if key.startswith("$")}
    plain = {key: value for key, value in given.items() if not key.startswith("$")}
    if operators and plain:
        raise QueryError(
            f"update mixes fields ({', '.join(plain)}) with operators ({', '.join(operators)})",
            hint='put the field into {"$set": …}',
        )
    update: dict[str, dict[str, Any]] = {}
    for operator, operands in operators.items():
        if not is_mapping(operands):
            raise QueryError(f"{operator} takes a mapping of fields, not {operands!r}")
        update[operator] = _compile_operands(resolver, operator, operands)
    if plain or fields:
        values_to_set = {**plain, **fields}
        update.setdefault("$set", {}).update(_compile_operands(resolver, "$set", values_to_set))
    if not any(update.values()):
        raise QueryError("there is nothing to update", hint='update({"age": 3}) or update(age=3)')
    _refresh(update, stamps)
    if revision is not None:
        _count(update, revision)
    return update


def _compile_operands(
    resolver: FieldResolver, operator: str, operands: Mapping[str, Any]
) -> dict[str, Any]:
    encode: Callable[[Callable[[Any], Any], Any], Any]
    if operator in _VALUES:
        encode = _value
    elif operator in _ITEMS:
        encode = _items
    else:
        encode = _as_it_is
    compiled: dict[str, Any] = {}
    for path, operand in operands.items():
        field = resolver.resolve(path)
        if field.path == "_id":
            raise QueryError("the id of a document never changes", hint="insert a new document")
        compiled[field.path] = encode(field.encode, operand)
    return compiled


def _value(encode: Callable[[Any], Any], operand: Any) -> Any:
    return encode(operand)


def _items(encode: Callable[[Any], Any], operand: Any) -> Any:
    if is_mapping(operand) and "$each" in operand:
        return {**operand, "$each": [encode(item) for item in operand["$each"]]}
    return encode(operand)


def _as_it_is(encode: Callable[[Any], Any], operand: Any) -> Any:
    return operand


def _count(update: dict[str, dict[str, Any]], revision: str) -> None:
    if any(revision in operands for operands in update.values()):
        raise QueryError(f"{revision} counts the writes by itself", hint="leave it out")
    update.setdefault("$inc", {})[revision] = 1


def _refresh(update: dict[str, dict[str, Any]], stamps: Mapping[str, Any]) -> None:
    touched = {path for operands in update.values() for path in operands}
    fresh = {path: value for path, value in stamps.items() if path not in touched}
    if fresh:
        update.setdefault("$set", {}).update(fresh)
