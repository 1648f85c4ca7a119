"""Codecs: how the values of one annotation go to BSON and come back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from .values import from_bson, to_bson


class Forms(NamedTuple):
    """What values may be that MongoDB reads as more than values in some places.

    `names` are those that every one of them has which is a document; None if that is open.
    """

    is_document: bool
    is_pattern: bool
    names: frozenset[str] | None = None


class Codec:
    """How the values of one annotation go to BSON and come back; this one is for `Any`.

    `is_identity`: encoding returns the value itself.
    `is_scalar`: a value cannot be edited in place.
    `holds_items`: a query may also compare with one item of the value.
    `needs_decode`: pydantic cannot take the stored form as it is.
    `normalises`: the stored form may differ from the value that was encoded.
    `forms`: what else the stored form may be taken for.
    """

    is_identity = False
    is_scalar = False
    holds_items = False
    needs_decode = True
    normalises = True
    forms = Forms(is_document=True, is_pattern=True)

    @property
    def item_forms(self) -> Forms:
        """The forms of the items, if a value is an array."""
        return self.forms

    def encode(self, value: Any) -> Any:
        """Return the BSON form of a value."""
        return to_bson(value)

    def decode(self, stored: Any) -> Any:
        """Return what pydantic can validate, sharing no container with the stored value."""
        return from_bson(stored)

    def literal(self, value: Any) -> Any:
        """Return the BSON form of a value that a query compares with."""
        return to_bson(value)

    def child(self, key: str) -> tuple[str, Codec] | None:
        """Return the stored name and the codec below `key`, or None if there is none."""
        return key, self

    def names(self) -> Iterable[str]:
        """Return the names that `child` knows, for messages."""
        return ()


ANY = Codec()
