"""Hints: the index that a query uses, by its name or its keys."""

from __future__ import annotations

from typing import Any, TypeAlias

from ..errors import QueryError
from ..type_guards import is_mapping, is_sequence
from .paths import FieldResolver
from .sort_order import SortKey, key_orders

Hint: TypeAlias = str | SortKey[Any]

# The kinds of index keys besides 1 and -1.
_KINDS = ("text", "hashed", "2d", "2dsphere")
_NATURAL = "$natural"
_FORMS = 'hint="name_of_the_index", hint=["age"] or hint={"age": -1}'


def stored_hint(hint: Hint, resolver: FieldResolver) -> str | dict[str, Any]:
    """Return a hint as MongoDB takes it: a name, or the keys of an index by stored path.

    Parameters:
        hint: The name of an index, or its keys in the forms of sort keys.
        resolver: The model's fields.

    Raises:
        UnknownFieldError: The model lacks a field.
        QueryError: It is not a hint.
    """
    if isinstance(hint, str):
        if not hint:
            raise _no_hint(hint)
        return hint
    natural = _natural(hint)
    if natural is not None:
        return {_NATURAL: _checked(_NATURAL, natural)}
    keys = {
        resolver.resolve(order.path).path: _checked(order.path, order.direction)
        for order in key_orders([hint], resolver)
    }
    if not keys:
        raise _no_hint(hint)
    return keys


def _natural(hint: Hint) -> Any:
    """Return the direction of a hint to read the collection without an index; else None."""
    pairs: list[Any] = []
    if is_mapping(hint):
        pairs = list(hint.items())
    elif is_sequence(hint):
        pairs = list(hint)
    if len(pairs) != 1 or not is_sequence(pairs[0]) or len(pairs[0]) != 2:
        return None
    name, direction = pairs[0]
    return direction if name == _NATURAL else None


def _checked(path: str, direction: Any) -> Any:
    is_order = type(direction) is int and direction in (1, -1)
    if is_order or (path != _NATURAL and direction in _KINDS):
        return direction
    raise QueryError(
        f"the hint has {direction!r} for {path!r}, which is neither 1 nor -1",
        hint=_FORMS,
    )


def _no_hint(hint: object) -> QueryError:
    return QueryError(
        f"{hint!r} names no index",
        hint=_FORMS,
    )
