"""Field paths, and the protocol by which a query resolves them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from ..errors import EncodingError, QueryError
from ..types.codec import ANY, Codec, Forms


class Variant(NamedTuple):
    """How some classes of a family store a field.

    Parameters:
        condition: The filter for the documents of these classes.
        encode: As for `ResolvedField`.
        literal: As for `ResolvedField`.
        codec: As for `ResolvedField`.
    """

    condition: Mapping[str, Any]
    encode: Callable[[Any], Any]
    literal: Callable[[Any, bool], Any] | None = None
    codec: Codec = ANY


class ResolvedField(NamedTuple):
    """A field as it is stored.

    Parameters:
        path: The dotted stored path (`_id` for `id`).
        encode: Converts a value that is given for the field to its stored form.
        items: The forms that elements may have, if the field is an array.
        literal: Converts a literal that the field is compared with, and says whether it is a bound;
            None if that is `encode`.
        codec: The codec of the field; it knows what MongoDB can compare.
        variants: The different ways in which the classes of a family store the field, if there are
            several; `encode` then refuses a value that they store differently.
        check: Validates and encodes a value that the field is set to; None if nothing can tell.
        is_left_out: Whether the field is left out of documents if it is None.
    """

    path: str
    encode: Callable[[Any], Any]
    items: Forms = ANY.forms
    literal: Callable[[Any, bool], Any] | None = None
    codec: Codec = ANY
    variants: tuple[Variant, ...] = ()
    check: Callable[[Any], Any] | None = None
    is_left_out: bool = False

    def compared(self, value: Any, *, is_bound: bool = False) -> Any:
        """Return the stored form of a literal that the field is compared with.

        Parameters:
            value: The literal.
            is_bound: Whether it is compared by order, and need not be a value of the field.

        Raises:
            QueryError: No value of the field can be compared with it.
        """
        try:
            return self.encode(value) if self.literal is None else self.literal(value, is_bound)
        except EncodingError as error:
            raise QueryError(
                f"{self.path!r} is compared with {value!r:.200}: {error.reason}", hint=error.hint
            ) from error
        except RecursionError:
            raise QueryError(
                f"a literal of {self.path!r} contains itself, or is nested too deeply"
            ) from None


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
    return _checked(path)


@lru_cache(maxsize=1_000, typed=True)  # an Enum may equal a string
def _checked(path: str) -> str:
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
