"""Codecs of values that hold other values: lists, sets, dicts."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from ..type_guards import is_collection, is_dict, is_list, is_mapping
from .codec import ANY, Codec, Forms
from .keys import KeyCodec
from .sparse import Sparse, SparseItems, SparseValues
from .values import in_stored_order, mapping_to_bson, to_bson


class ArrayCodec(Codec):
    """A list, tuple or deque.

    Parameters:
        item: The codec of the items.
        is_abstract: Whether the annotation allows several classes of arrays; all load as lists.
    """

    holds_items = True
    forms = Forms(is_document=False, is_pattern=False)

    def __init__(self, item: Codec, *, is_abstract: bool = False) -> None:
        self.item = item
        self.needs_decode = item.needs_decode
        self.normalises = item.normalises or is_abstract
        self.is_abstract = is_abstract

    @property
    def is_deterministic(self) -> bool:  # type: ignore[override]
        """True if the items are; found when it is asked for, as a model may contain itself."""
        return self.item.is_deterministic

    @property
    def is_sortable(self) -> bool:  # type: ignore[override]
        """True if the items are: MongoDB sorts arrays by their smallest or largest item."""
        return self.item.is_sortable

    @property
    def item_forms(self) -> Forms:
        """The forms of the items."""
        return self.item.forms

    @cached_property
    def sparse(self) -> Sparse | None:  # type: ignore[override]
        """What is left out of the items."""
        return None if self.item.sparse is None else SparseItems(self.item.sparse)

    def encode(self, value: Any) -> Any:
        if value is None:
            return None
        if not is_list(value) and not is_collection(value):
            return to_bson(value)
        if self.item.is_identity:
            return list(value)
        encode = self.item.encode
        return [encode(item) for item in value]

    def decode(self, stored: Any) -> Any:
        if is_list(stored) and self.item.needs_decode:
            return [self.item.decode(item) for item in stored]
        return stored

    def literal(self, value: Any) -> Any:
        if is_collection(value):
            return [self.item.literal(item) for item in value]
        return self.item.literal(value)

    def is_ordered_with(self, value: Any) -> bool:
        return is_collection(value) or self.item.is_ordered_with(value)

    def keep_stored(self, stored: Any, encoded: Any) -> Any:
        if self.is_deterministic or not (is_list(stored) and is_list(encoded)):
            return encoded
        kept = [self.item.keep_stored(*pair) for pair in zip(stored, encoded, strict=False)]
        return kept + encoded[len(kept) :]

    def child(self, key: str) -> tuple[str, Codec] | None:
        return (key, self.item) if key.isdigit() else self.item.child(key)

    def element(self) -> Codec | None:
        return self.item

    def names(self) -> Iterable[str]:
        return self.item.names()


class FixedArrayCodec(ArrayCodec):
    """A tuple whose items have types of their own, by their positions."""

    def __init__(self, item: Codec, items: list[Codec]) -> None:
        super().__init__(item)
        self.items = items
        self.needs_decode = any(item.needs_decode for item in items)
        self.normalises = any(item.normalises for item in items)

    @property
    def is_deterministic(self) -> bool:  # type: ignore[override]
        """True if all items are."""
        return all(item.is_deterministic for item in self.items)

    def encode(self, value: Any) -> Any:
        if not is_collection(value):
            return super().encode(value)
        codecs = self.items if len(value) == len(self.items) else [ANY] * len(value)
        return [codec.encode(item) for codec, item in zip(codecs, value, strict=True)]

    def decode(self, stored: Any) -> Any:
        if not is_list(stored) or len(stored) != len(self.items) or not self.needs_decode:
            return stored
        return [codec.decode(item) for codec, item in zip(self.items, stored, strict=True)]

    def literal(self, value: Any) -> Any:
        if is_collection(value) and len(value) == len(self.items):
            pairs = zip(self.items, value, strict=True)
            return [codec.literal(item) for codec, item in pairs]
        return super().literal(value)

    def keep_stored(self, stored: Any, encoded: Any) -> Any:
        if self.is_deterministic or not (is_list(stored) and is_list(encoded)):
            return encoded
        parts = zip(self.items, stored, encoded, strict=False)
        kept = [codec.keep_stored(old, new) for codec, old, new in parts]
        return kept + encoded[len(kept) :]

    def child(self, key: str) -> tuple[str, Codec] | None:
        if key.isdigit() and int(key) < len(self.items):
            return key, self.items[int(key)]
        return super().child(key)


class SetCodec(ArrayCodec):
    """A set, stored as an array; the order of its items means nothing."""

    is_identity = False

    def encode(self, value: Any) -> Any:
        encoded = super().encode(value)
        return in_stored_order(encoded) if encoded and is_list(encoded) else encoded

    def literal(self, value: Any) -> Any:
        literal = super().literal(value)
        return in_stored_order(literal) if is_collection(value) and literal else literal

    def keep_stored(self, stored: Any, encoded: Any) -> Any:
        return encoded


class MappingCodec(Codec):
    """A dict; its keys become strings.

    Parameters:
        key: The codec of the keys.
        value: The codec of the values.
        is_abstract: Whether the annotation allows several classes of dicts; all load as dicts.
    """

    forms = Forms(is_document=True, is_pattern=False)

    def __init__(self, key: KeyCodec, value: Codec, *, is_abstract: bool = False) -> None:
        self._key = key
        self.value = value
        self.needs_decode = value.needs_decode or key.read is not None
        self.normalises = value.normalises or is_abstract
        self.is_abstract = is_abstract

    @property
    def is_deterministic(self) -> bool:  # type: ignore[override]
        """True if the values are."""
        return self.value.is_deterministic

    @cached_property
    def sparse(self) -> Sparse | None:  # type: ignore[override]
        """What is left out of the values."""
        return None if self.value.sparse is None else SparseValues(self.value.sparse)

    @property
    def keeps_texts(self) -> bool:
        """True if a key that is a string is stored as it is."""
        return self._key.keeps_texts

    def encode(self, value: Any) -> Any:
        if not is_mapping(value):
            return to_bson(value)
        encode = None if self.value.is_identity else self.value.encode
        return mapping_to_bson(value, self._key.encode, encode)

    def decode(self, stored: Any) -> Any:
        if not is_dict(stored) or not self.needs_decode:
            return stored
        read, decode = self._key.decode, self.value.decode
        return {read(key): decode(item) for key, item in stored.items()}

    def literal(self, value: Any) -> Any:
        if not is_mapping(value):
            return to_bson(value)
        return mapping_to_bson(value, self._key.encode, self.value.literal)

    def keep_stored(self, stored: Any, encoded: Any) -> Any:
        if self.is_deterministic or not (is_dict(stored) and is_dict(encoded)):
            return encoded
        keep = self.value.keep_stored
        return {
            key: keep(stored[key], item) if key in stored else item for key, item in encoded.items()
        }

    def child(self, key: str) -> tuple[str, Codec] | None:
        return key, self.value
