"""Errors of classes that are stored as documents."""

from __future__ import annotations

from typing import Any

from ..errors import ConfigurationError, EncodingError


def subclass_refused(kind: type[Any], declared: type[Any]) -> EncodingError:
    """Return the error for an object that would load as one of a base class."""
    return EncodingError(
        f"a {kind.__name__} would load as a {declared.__name__}",
        path="",
        hint=f"annotate the field with {kind.__name__}, or with a union of both",
    )


def same_stored_name(owner: Any, one: str, other: str, stored_name: str) -> ConfigurationError:
    """Return the error for two fields that would have one name in documents."""
    return ConfigurationError(
        f"{owner.__name__}: {one} and {other} would both be stored as {stored_name!r}",
        hint="give one of them another alias or StoredName",
    )


def undeclared_key(key: str, declared: type[Any]) -> EncodingError:
    """Return the error for a key that would be lost, as its `TypedDict` does not declare it."""
    return EncodingError(
        f"{declared.__name__} does not declare this key, so it would not load",
        path=key,
        hint=f"declare it, or let {declared.__name__} have extra_items",
    )
