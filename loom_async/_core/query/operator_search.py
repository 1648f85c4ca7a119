"""Finds operators in MongoDB filters, as opposed to values with the same names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..type_guards import is_mapping, is_sequence

_LOGICAL = ("$and", "$or", "$nor")


def has_operator(condition: Mapping[str, Any], names: Collection[str]) -> bool:
    """Say whether a filter uses one of the operators.

    Parameters:
        condition: A MongoDB filter.
        names: Operators of the top level (`$where`), or of a field (`$near`).

    Example:
        >>> has_operator({"place": {"$near": [14.4, 50.1]}}, {"$near"})
        True
        >>> has_operator({"name": {"$eq": {"$near": "x"}}, "text": "$near"}, {"$near"})
        False
    """
    return any(_clause_has(key, operand, names) for key, operand in condition.items())


def _clause_has(key: str, operand: Any, names: Collection[str]) -> bool:
    if key in _LOGICAL:
        parts = operand if is_sequence(operand) else ()
        return any(is_mapping(part) and has_operator(part, names) for part in parts)
    return key in names or (not key.startswith("$") and _comparison_has(operand, names))


def _comparison_has(operand: Any, names: Collection[str]) -> bool:
    """Say whether the operand of a field uses an operator; other documents are values."""
    if not is_mapping(operand) or not str(next(iter(operand), "")).startswith("$"):
        return False
    return any(
        operator in names or (operator == "$not" and _comparison_has(value, names))
        for operator, value in operand.items()
    )
