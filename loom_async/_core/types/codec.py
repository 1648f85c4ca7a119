"""The base of all codecs: how the values of one annotation are stored and loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .sparse import Sparse
from .values import from_bson, is_ordered_value, to_bson


class Forms(NamedTuple):
    """Which stored forms of a value MongoDB may read as more than a value, such as an operator.

    Parameters:
        is_document: Whether a stored value may be a document.
        is_pattern: Whether it may be a regular expression.
        names: The names that each such document has; None if they are unknown.
    """

    is_document: bool
    is_pattern: bool
    names: frozenset[str] | None = None


class Codec:
    """How the values of one annotation are stored and loaded; this class is the codec of `Any`.

    `is_identity`: `encode` returns the value itself.
    `is_scalar`: a value cannot be edited in place.
    `holds_items`: a query may also compare one item of the value.
    `needs_decode`: pydantic cannot validate the stored form as it is.
    `normalises`: the stored form may differ from the value that was encoded.
    `is_deterministic`: equal values have the same stored form.
    `is_sortable`: MongoDB sorts stored values as Python sorts the values, if Python sorts them.
    `forms`: the stored forms that MongoDB may read as more than a value.
    """

    is_identity: bool = False
    is_scalar: bool = False
    holds_items: bool = False
    needs_decode: bool = True
    normalises: bool = True
    is_deterministic: bool = True
    is_sortable: bool = True
    forms: Forms = Forms(is_document=True, is_pattern=True)
    #: Which null fields `store_none=False` leaves out of the stored values; None if there are none.
    sparse: Sparse | None = None

    @property
    def item_forms(self) -> Forms:
        """The forms of the items, if a value is an array."""
        return self.forms

    def encode(self, value: Any) -> Any:
        """Return the BSON form of a value."""
        return to_bson(value)

    def has_keys(self, value: Mapping[Any, Any]) -> bool:
        """Say whether a dict may be a value by its keys: those of a `TypedDict` are declared."""
        return True

    def decode(self, stored: Any) -> Any:
        """Return what pydantic can validate; it shares no container with the stored value."""
        return from_bson(stored)

    def literal(self, value: Any) -> Any:
        """Return the BSON form of a value in a query."""
        return to_bson(value)

    def is_ordered_with(self, value: Any) -> bool:
        """Say whether MongoDB compares stored values with a value as Python does: `<`, `>`."""
        return is_ordered_value(value)

    def keep_stored(self, stored: Any, encoded: Any) -> Any:
        """Return an encoded value, with the stored form of each part whose value is the same.

        Only a codec that is not deterministic differs from its encoded value.
        """
        return encoded

    def child(self, key: str) -> tuple[str, Codec] | None:
        """Return the stored name and the codec of a key; None if the value has no such key."""
        return key, self

    def stored_child(self, key: str) -> tuple[str, Codec] | None:
        """Return the same for a key of a document, which may be the name of another field."""
        return self.child(key)

    def element(self) -> Codec | None:
        """Return the codec of the elements; None if a value is never an array."""
        return ANY if self is ANY else None

    def names(self) -> Iterable[str]:
        """Return the keys that `child` accepts, for messages."""
        return ()


ANY = Codec()
