"""Type guards for containers; `isinstance` leaves the types of their items unknown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeGuard


def is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """Say whether a value is a mapping of any items."""
    return isinstance(value, Mapping)


def is_dict(value: object) -> TypeGuard[dict[str, Any]]:
    """Say whether a value is exactly a dict, as BSON documents are decoded."""
    return type(value) is dict


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Say whether a value is exactly a list, as BSON arrays are decoded."""
    return type(value) is list


def is_iterable(value: object) -> TypeGuard[Iterable[Any]]:
    """Say whether a value is an iterable of any items."""
    return isinstance(value, Iterable)


def is_sequence(value: object) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """Say whether a value is a list or a tuple of any items."""
    return isinstance(value, list | tuple)


def is_collection(value: object) -> TypeGuard[Collection[Any]]:
    """Say whether a value is a collection, but no string, bytes or mapping."""
    return isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping)
