"""What changed between a loaded document and its model, as the smallest list of changes."""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeGuard
from uuid import UUID

from bson import ObjectId

from ..typing import is_dict, is_list
from .codec import ANY, Codec
from .containers import Items, Unordered
from .scalars import Counter
from .values import encode_bson

Path: TypeAlias = tuple[str, ...]
#: Stands for the value that a document lacks.
MISSING = object()


@dataclass(slots=True)
class Set:
    """Give a path a value."""

    path: Path
    value: Any


@dataclass(slots=True)
class Unset:
    """Take a key away."""

    path: Path


@dataclass(slots=True)
class Inc:
    """Add to a number; `start` is where it starts when the document lacks it."""

    path: Path
    by: Any
    start: Any = None


@dataclass(slots=True)
class Push:
    """Append to an array."""

    path: Path
    items: list[Any]


@dataclass(slots=True)
class AddToSet:
    """Add to an array what it does not hold."""

    path: Path
    items: list[Any]


Change: TypeAlias = Set | Unset | Inc | Push | AddToSet


def same(left: Any, right: Any) -> bool:
    """Say whether two values are the same to the database: type, order and sign of zero too."""
    if left is right:
        return True
    kind = type(left)  # pyright: ignore[reportUnknownVariableType]
    if kind is type(right) and kind in _EXACTLY_EQUAL:
        return bool(left == right)
    try:
        # Tells types, order and signs apart as BSON does; small values in a fifth of its time.
        return marshal.dumps(left, _WITHOUT_REFERENCES) == marshal.dumps(right, _WITHOUT_REFERENCES)
    except ValueError:  # a value of a type that marshal does not know
        return as_bytes(left) == as_bytes(right)


# Types whose values have the same BSON if and only if they are equal.
_EXACTLY_EQUAL = frozenset({str, int, bool, bytes, type(None), ObjectId, UUID})
# The version of marshal's format that writes a value out each time it is met.
_WITHOUT_REFERENCES = 2


def as_bytes(value: Any) -> bytes:
    """Return the BSON bytes of a value."""
    return encode_bson({"": value})


def differing(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return the keys whose values in `after` are others than in `before`, or not in `before`."""
    names: list[str] = []
    for name, value in after.items():
        old = before.get(name, MISSING)
        kind = type(value)  # pyright: ignore[reportUnknownVariableType]
        # What same() would say, without a call for each entry.
        if kind in _EXACTLY_EQUAL and kind is type(old):
            is_same = old == value
        else:
            is_same = old is not MISSING and same(old, value)
        if not is_same:
            names.append(name)
    return names


def changes_at(
    codec: Codec, names: Iterable[str], before: dict[str, Any], after: dict[str, Any]
) -> list[Change]:
    """Return the changes of the entries of some names; `before` is what is stored."""
    return list(_changes_at(codec, (), names, before, before, after))


def find_changes(
    codec: Codec, stored: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> list[Change]:
    """Return the changes that turn `before` into `after`.

    Parameters:
        codec: The model's codec.
        stored: The document as it was loaded; it tells which paths exist.
        before: What the model encoded to when it was loaded.
        after: What the model encodes to now.
    """
    return list(_entry_changes(codec, (), stored, before, after))


def _changes(codec: Codec, path: Path, stored: Any, before: Any, after: Any) -> Iterator[Change]:
    """Yield the changes of a value that is known to differ."""
    if is_dict(before) and is_dict(after) and is_dict(stored):
        yield from _entry_changes(codec, path, stored, before, after)
    elif isinstance(codec, Counter) and _is_number(before) and _is_number(after):
        start = before if stored is MISSING else None
        yield (
            Inc(path, after - before, start)
            if _is_number(stored) or start is not None
            else Set(path, after)
        )
    elif is_list(before) and is_list(after) and is_list(stored):
        yield _array_change(codec, path, stored, before, after)
    else:
        yield Set(path, after)


def _entry_changes(
    codec: Codec, path: Path, stored: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> Iterator[Change]:
    yield from _changes_at(codec, path, differing(before, after), stored, before, after)
    for key in before:
        if key not in after:
            yield Unset((*path, key))


def _changes_at(
    codec: Codec,
    path: Path,
    names: Iterable[str],
    stored: dict[str, Any],
    before: dict[str, Any],
    after: dict[str, Any],
) -> Iterator[Change]:
    for key in names:
        if key not in before:
            yield Set((*path, key), after[key])
        else:
            below, inner = codec.child(key), stored.get(key, MISSING)
            yield from _changes(
                below[1] if below else ANY, (*path, key), inner, before[key], after[key]
            )


def _array_change(
    codec: Codec, path: Path, stored: list[Any], before: list[Any], after: list[Any]
) -> Change:
    if isinstance(codec, Unordered):
        known = {as_bytes(item) for item in before}
        added = [item for item in after if as_bytes(item) not in known]
        if len(added) + len(known) == len(after):
            return AddToSet(path, added)
        return Set(path, after)
    grew = len(after) > len(before) == len(stored)
    if grew and isinstance(codec, Items | type(ANY)) and same(before, after[: len(before)]):
        return Push(path, after[len(before) :])
    return Set(path, after)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
