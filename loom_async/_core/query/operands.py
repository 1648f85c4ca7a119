"""Operands that a caller gives, checked and put into MongoDB's terms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from typing import Any

from ..errors import QueryError
from .expressions import Combinable


def several(values: Iterable[Any], name: str) -> tuple[Any, ...]:
    """Return several values as a tuple, read once."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise QueryError(
            f"{name}() takes several values, not {values!r}", hint=f"{name}([{values!r}])"
        )
    # Of a set in one order in every process, so that a query is the same in all.
    gathered = tuple(sorted(values, key=repr) if isinstance(values, Set) else values)
    for value in gathered:
        if isinstance(value, Combinable):
            raise QueryError(f"{name}() takes values, and {value!r} is a condition or a field")
    return gathered


def string(text: Any, name: str) -> str:
    """Return a string, or raise `QueryError`."""
    if not isinstance(text, str):
        raise QueryError(f"{name}() takes a string, not {text!r}")
    return text


def flags_of(pattern: re.Pattern[str]) -> str:
    """Return MongoDB's letters for the flags of a compiled pattern."""
    letters = {re.IGNORECASE: "i", re.MULTILINE: "m", re.DOTALL: "s", re.VERBOSE: "x"}
    if pattern.flags & re.LOCALE:
        raise QueryError(f"MongoDB has no counterpart of the flag LOCALE of {pattern!r}")
    return "".join(letter for flag, letter in letters.items() if pattern.flags & flag)


_BSON_TYPES: dict[type, str | list[str | int]] = {
    str: "string", int: ["int", "long"], float: "double", bool: "bool", bytes: "binData",
    list: "array", dict: "object", type(None): "null",
}  # fmt: skip


def bson_types(kind: str | int | type) -> list[str | int]:
    """Return what `$type` calls a BSON or Python type."""
    if not isinstance(kind, type):
        return [kind]
    named = {"datetime": "date", "ObjectId": "objectId", "Decimal": "decimal", "UUID": "binData"}
    found = _BSON_TYPES.get(kind) or named.get(getattr(kind, "__name__", ""))
    if found is None:
        raise QueryError(
            f"is_type({kind!r}): there is no such BSON type",
            hint="use BSON's name, such as 'string', 'int', 'date', 'objectId'",
        )
    return [found] if isinstance(found, str) else found
