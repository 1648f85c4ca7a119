"""What changed between a loaded document and its model, as the smallest list of changes."""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias, TypeGuard
from uuid import UUID

from bson import ObjectId

from ..bson_codec import encode_bson
from ..type_guards import is_dict, is_list
from ..types.codec import ANY, Codec
from ..types.containers import Items, Unordered
from ..types.scalars import Counter

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
    if kind is datetime and left == right:
        return True
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
    """Return the changes of some entries, none of them a document; `before` is what is stored."""
    return [
        _change(child_codec(codec, name), (name,), before[name], before[name], after[name])
        for name in names
    ]


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
    return list(_changes(codec, (), stored, before, after))


def _changes(
    codec: Codec, path: Path, stored: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> Iterator[Change]:
    for key in differing(before, after):
        here, new = (*path, key), after[key]
        if key not in before:
            yield Set(here, new)
            continue
        old, there, below = before[key], stored.get(key, MISSING), child_codec(codec, key)
        if is_dict(old) and is_dict(new) and is_dict(there):
            yield from _changes(below, here, there, old, new)
        else:
            yield _change(below, here, there, old, new)
    for key in before:
        if key not in after:
            yield Unset((*path, key))


def child_codec(codec: Codec, key: str) -> Codec:
    """Return the codec of what a key holds."""
    child = codec.child(key)
    return child[1] if child else ANY


def _change(codec: Codec, path: Path, stored: Any, before: Any, after: Any) -> Change:
    """Return the change of a value that is known to differ, and is no document throughout."""
    if isinstance(codec, Counter) and is_number(before) and is_number(after):
        start = before if stored is MISSING else None
        if is_number(stored) or start is not None:
            return Inc(path, after - before, start)
    elif is_list(before) and is_list(after) and is_list(stored):
        return _array_change(codec, path, stored, before, after)
    return Set(path, after)


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


def is_number(value: object) -> TypeGuard[float]:
    """Say whether a value is a number that can be counted with."""
    return isinstance(value, int | float) and not isinstance(value, bool)
