"""Edits: the differences between a stored document and its object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

Path: TypeAlias = tuple[str, ...]


class Set(NamedTuple):
    """Sets the value at a path."""

    path: Path
    value: Any


class Unset(NamedTuple):
    """Removes the key at the end of a path."""

    path: Path


class Inc(NamedTuple):
    """Adds to a number; `start` is the number to add to if the document has none."""

    path: Path
    by: Any
    start: Any = None


class Push(NamedTuple):
    """Appends items to an array."""

    path: Path
    items: list[Any]


class AddToSet(NamedTuple):
    """Appends the items that an array does not hold."""

    path: Path
    items: list[Any]


class EditItems(NamedTuple):
    """Changes parts of the items of an array, on the condition that the array is as it was read.

    `before` is the array as it was read.
    `edits` have paths below the array, which begin with the position of an item.
    """

    path: Path
    before: list[Any]
    edits: tuple[Edit, ...]


class Replace(NamedTuple):
    """Sets the value at a path, on the condition that the value there is as it was read.

    `before` is the value as it was read; `MISSING` if there was none.
    `base` is the document of which `value` is an edited form, if the two may be merged with a
    document that another writer has stored at the path meanwhile; None if `value` replaces it.
    """

    path: Path
    before: Any
    value: Any
    base: dict[str, Any] | None = None


Edit: TypeAlias = Set | Unset | Inc | Push | AddToSet | EditItems | Replace


def edits_below(path: Path, edits: Iterable[Edit]) -> Iterator[Edit]:
    """Yield the edits of a value as edits of the document that holds it at a path."""
    for edit in edits:
        yield edit._replace(path=(*path, *edit.path))
