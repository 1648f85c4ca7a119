"""Checks of values by their types alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from ..attribute_values import ValuesGetter, values_of

#: The types of the keys of a dict that is stored as it is.
TEXT: Final = frozenset({str})


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """Says of values whether their types tell that they are valid.

    `holds` returns true for such a value.
    """

    holds: Callable[[Any], bool]


@dataclass(frozen=True, slots=True, eq=False)
class ExactType(Check):
    """The check of a value whose class is enough."""

    kind: type


@dataclass(frozen=True, slots=True, eq=False)
class EachItem(Check):
    """The check of a list whose items have checks."""

    item: Check


@dataclass(frozen=True, slots=True, eq=False)
class EachEntry(Check):
    """The check of a dict of strings whose values have checks; `value` is that of the values."""

    value: Check


@dataclass(frozen=True, slots=True, eq=False)
class EachField(Check):
    """The check of an object of a model whose fields have checks, by name."""

    model: type[BaseModel]
    fields: Mapping[str, Check]


def exactly(kind: type) -> ExactType:
    """Return the check of a class."""
    return ExactType(lambda value: type(value) is kind, kind)


def exact_types(checks: Mapping[str, Check]) -> tuple[ValuesGetter, list[type]]:
    """Return what gets the values whose exact type is enough, and these types, to be compared."""
    exact = {name: check.kind for name, check in checks.items() if isinstance(check, ExactType)}
    return values_of(exact), [*exact.values()]


def all_hold(checks: Mapping[str, Check]) -> Callable[[dict[str, Any]], bool]:
    """Return a check of several values by name, of which the exact types are compared at once."""
    values_by_type, kinds = exact_types(checks)
    others = [(name, c.holds) for name, c in checks.items() if not isinstance(c, ExactType)]

    def hold(values: dict[str, Any]) -> bool:
        if [*map(type, values_by_type(values))] != kinds:
            return False
        return all(holds(values[name]) for name, holds in others) if others else True

    return hold
