"""Field paths, and the protocol by which a query resolves them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from ..errors import QueryError
from ..types.codec import ANY, Codec, Forms


class ResolvedField(NamedTuple):
    """A field as it is stored.

    Parameters:
        path: The dotted stored path (`_id` for `id`).
        encode: Converts a value that the field is compared with to its stored form.
        items: The forms that elements may have, if the field is an array.
        codec: The codec of the field; it knows what MongoDB can compare.
    """

    path: str
    encode: Callable[[Any], Any]
    items: Forms = ANY.forms
    codec: Codec = ANY


class FieldResolver(Protocol):
    """Resolves fields by their dotted names."""

    def resolve(self, path: str) -> ResolvedField:
        """Return the field.

        Raises:
            UnknownFieldError: There is no such field.
        """
        ...


def check_path(path: str) -> str:
    """Return a dotted path, or raise `QueryError` if it is not one, or has an operator."""
    if not isinstance(path, str):
        raise QueryError(f"a field is named by a string, not by {path!r}", hint='fld["age"]')
    if "\0" in path:
        raise QueryError(f"{path!r} has a NUL character, which a field name cannot contain")
    for key in path.split("."):
        if key.startswith("$"):
            raise QueryError(
                f"{key!r} in {path!r} is an operator, not a field",
                hint="write a raw filter: lm.raw({...})",
            )
        if not key:
            raise QueryError(f"{path!r} has an empty part", hint='write it like "address.city"')
    return path


def join(head: str, tail: str) -> str:
    """Return the dotted path of two paths; either may be empty."""
    return f"{head}.{tail}" if head and tail else head or tail
