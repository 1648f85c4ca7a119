"""Conditions that `filter` accepts, and their conversion to predicates."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeVar

from .expressions import Combinable, Predicate, as_predicate
from .fields import Field
from .paths import FieldResolver
from .recorder import Recorder

M = TypeVar("M")

# To type checkers, a comparison in a lambda is a bool, and `~` of it an int.
Condition: TypeAlias = Predicate | Field | Callable[[M], "Predicate | Field | bool | int"]


def to_predicate(condition: Condition[M], resolver: FieldResolver | None) -> Predicate:
    """Return the predicate of a condition.

    Parameters:
        condition: A predicate, a field (it is True), or a function of the model.
        resolver: The model's fields; None accepts any name.

    Raises:
        QueryError: It is not a condition.
        UnknownFieldError: A function names a field that the model lacks.
    """
    if not isinstance(condition, Combinable) and callable(condition):
        return as_predicate(condition(Recorder(resolver)))  # type: ignore[arg-type]
    return as_predicate(condition)
