"""Checks of the operands of conditions, and their conversion to MongoDB's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from typing import Any

from ..errors import QueryError
from ..types.registry import entry_of
from .expressions import Combinable


def values_of(values: Iterable[Any], name: str) -> tuple[Any, ...]:
    """Return the values of an iterable, or raise `QueryError`; `name` is the method called."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise QueryError(
            f"{name}() takes several values, not {values!r}", hint=f"{name}([{values!r}])"
        )
    # The order of a set differs between processes; sorted, the same query gives the same filter.
    result = tuple(sorted(values, key=repr) if isinstance(values, Set) else values)
    for value in result:
        if isinstance(value, Combinable):
            raise QueryError(f"{name}() takes values, and {value!r} is a condition or a field")
    return result


def checked_string(text: Any, name: str) -> str:
    """Return a string, or raise `QueryError`; `name` is the method called."""
    if not isinstance(text, str):
        raise QueryError(f"{name}() takes a string, not {text!r}")
    return text


def flags_of(pattern: re.Pattern[str]) -> str:
    """Return the `$options` of a compiled pattern."""
    letters = {re.IGNORECASE: "i", re.MULTILINE: "m", re.DOTALL: "s", re.VERBOSE: "x"}
    if pattern.flags & re.LOCALE:
        raise QueryError(f"MongoDB has no option for the flag LOCALE of {pattern!r}")
    return "".join(letter for flag, letter in letters.items() if pattern.flags & flag)


def bson_types(kind: str | int | type) -> list[str | int]:
    """Return the operands of `$type` for a BSON or Python type."""
    if not isinstance(kind, type):
        return [kind]
    entry = entry_of(kind)
    if entry is None or not entry.bson:
        raise QueryError(
            f"is_type({kind!r}): no BSON type corresponds to it",
            hint="use the BSON name, such as 'string', 'int', 'date', 'objectId'",
        )
    return [*entry.bson]
