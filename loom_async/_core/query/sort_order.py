"""Reads the forms of sort keys: names, `"-name"`, `-fld["name"]`, pairs, lambdas."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias, TypeVar

from ..errors import QueryError
from ..type_guards import is_iterable, is_mapping
from .descending import Descending
from .fields import Field
from .paths import FieldResolver, check_path
from .recorder import Recorder, recorded_path

M = TypeVar("M")

Direction: TypeAlias = int
Pair: TypeAlias = tuple[str | Field, Direction]
SimpleKey: TypeAlias = str | Field | Descending | Pair
# To type checkers, `-u.age` in a lambda is an int.
SortKey: TypeAlias = (
    SimpleKey | Iterable[SimpleKey] | Mapping[str, Direction] | Callable[[M], object]
)

_DIRECTIONS = (1, -1)
_HINT = 'sort("age", descending=True), sort("-age") or sort([("age", -1)])'


class KeyOrder(NamedTuple):
    """A sort key as the caller wrote it.

    Parameters:
        path: The dotted name.
        direction: 1 or -1; another value is an error, or the kind of an index.
        is_explicit: Whether the caller wrote the direction as a number.
    """

    path: str
    direction: Any
    is_explicit: bool = False


def sort_orders(
    keys: Iterable[SortKey[Any]], resolver: FieldResolver | None, *, descending: bool = False
) -> list[tuple[str, int]]:
    """Return the names and directions of sort keys.

    Parameters:
        keys: The arguments of `sort`.
        resolver: The model's fields, for lambdas; None accepts any name.
        descending: Whether to reverse each key.

    Raises:
        QueryError: An argument is not a sort key, or a direction is neither 1 nor -1.
    """
    orders = list(key_orders(keys, resolver))
    if not orders:
        raise QueryError("sort() needs a field", hint='sort("age", descending=True)')
    return [(order.path, _direction(order, descending=descending)) for order in orders]


def key_orders(keys: Iterable[SortKey[Any]], resolver: FieldResolver | None) -> Iterator[KeyOrder]:
    """Yield the names and directions of keys in all their forms; directions are not checked.

    Parameters:
        keys: Names, fields, pairs, mappings, lambdas, or iterables of these.
        resolver: As for `sort_orders`.

    Raises:
        QueryError: A key has another form.
    """
    for key in keys:
        yield from _orders(key, resolver)


def _orders(key: Any, resolver: FieldResolver | None) -> Iterator[KeyOrder]:
    if isinstance(key, Recorder):
        key = Field(recorded_path(key))
    if isinstance(key, str):
        path = check_path(key.removeprefix("-"))
        yield KeyOrder(path, -1 if key.startswith("-") else 1)
    elif isinstance(key, Field):
        yield KeyOrder(_named(key.path), 1)
    elif isinstance(key, Descending):
        yield KeyOrder(_named(key.path), -1)
    elif is_mapping(key):
        for name, direction in key.items():
            yield KeyOrder(check_path(name), direction, is_explicit=True)
    elif _is_pair(key):
        name, direction = key
        path = name.path if isinstance(name, Field) else check_path(name)
        yield KeyOrder(_named(path), direction, is_explicit=True)
    elif is_iterable(key) and not isinstance(key, bytes):
        yield from key_orders(key, resolver)
    elif callable(key):
        yield from _orders(key(Recorder(resolver)), resolver)
    else:
        raise _not_a_key(key)


def _is_pair(key: Any) -> bool:
    """Say whether a key is a name and its direction, not two names."""
    return (
        isinstance(key, tuple)
        and len(key) == 2  # pyright: ignore[reportUnknownArgumentType]
        and isinstance(key[0], str | Field)
        and not isinstance(key[1], str | Field | Descending | tuple | Recorder)
    )


def _named(path: str) -> str:
    if not path:
        raise QueryError("sort() takes fields of documents, and this names none", hint=_HINT)
    return path


def _not_a_key(key: object) -> QueryError:
    if isinstance(key, int):
        return QueryError(
            f"sort() got {key!r}, which is not a field; the direction is the keyword `descending`, "
            "or part of a pair",
            hint=_HINT,
        )
    return QueryError(f"sort() takes fields, and {key!r} is none", hint=_HINT)


def _direction(order: KeyOrder, *, descending: bool) -> int:
    direction = order.direction
    if type(direction) is not int or direction not in _DIRECTIONS:
        raise QueryError(
            f"the direction of {order.path!r} is {direction!r}, which is neither 1 nor -1",
            hint=_HINT,
        )
    if not descending:
        return direction
    if order.is_explicit:
        raise QueryError(
            f"{order.path!r} has the direction {direction} and `descending`",
            hint="leave one of them out",
        )
    return -direction
