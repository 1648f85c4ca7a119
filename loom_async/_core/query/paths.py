"""Where a field is, and how its literals are encoded: what a query needs to know of a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import QueryError
from ..types.codec import ANY, Forms


@dataclass(frozen=True, slots=True)
class ResolvedField:
    """A field as it is stored.

    `path` is its dotted stored path (`_id` for `id`); `encode` turns a literal into BSON's form;
    `items` says what its items may be, if it is an array.
    """

    path: str
    encode: Callable[[Any], Any]
    items: Forms = ANY.forms


class FieldResolver(Protocol):
    """Finds fields by their dotted names."""

    def resolve(self, path: str) -> ResolvedField:
        """Return the field.

        Raises:
            UnknownFieldError: There is none.
        """
        ...


def check_path(path: str) -> str:
    """Return a dotted path, or raise `QueryError` if it would be read as an operator."""
    if not isinstance(path, str):
        raise QueryError(f"a field is named by a string, not by {path!r}", hint='fld["age"]')
    if "\0" in path:
        raise QueryError(f"{path!r} has a NUL character, which no field name may have")
    for key in path.split("."):
        if key.startswith("$"):
            raise QueryError(
                f"{key!r} in {path!r} is an operator, not a field",
                hint="write it as a raw filter: lm.raw({...})",
            )
        if not key:
            raise QueryError(f"{path!r} has an empty part", hint='name it like "address.city"')
    return path


def join(head: str, tail: str) -> str:
    """Return the dotted path of `tail` below `head`; either may be empty."""
    return f"{head}.{tail}" if head and tail else head or tail
