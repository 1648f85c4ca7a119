"""Codecs of values that hold other values: lists, sets, dicts; and of unions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..type_guards import is_collection, is_dict, is_list, is_mapping
from .codec import Codec, Forms
from .scalars import NormalisedCodec
from .values import from_bson, in_stored_order, key_to_bson, to_bson


class ArrayCodec(Codec):
    """A list, tuple or deque."""

    holds_items = True
    forms = Forms(is_document=False, is_pattern=False)

    def __init__(self, item: Codec) -> None:
        self.item = item
        self.needs_decode = item.needs_decode
        self.normalises = item.normalises

    @property
    def item_forms(self) -> Forms:
        """The forms of the items."""
        return self.item.forms

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

    def child(self, key: str) -> tuple[str, Codec] | None:
        return (key, self.item) if key.isdigit() else self.item.child(key)

    def names(self) -> Iterable[str]:
        return self.item.names()


class SetCodec(ArrayCodec):
    """A set, stored as an array; the order of its items means nothing."""

    is_identity = False

    def encode(self, value: Any) -> Any:
        encoded = super().encode(value)
        return in_stored_order(encoded) if encoded else encoded

    def literal(self, value: Any) -> Any:
        literal = super().literal(value)
        return in_stored_order(literal) if is_collection(value) and literal else literal


class MappingCodec(Codec):
    """A dict; its keys become strings.

    Parameters:
        value: The codec of the values.
        members: The members of an Enum by their stored keys: pydantic cannot validate these.
    """

    forms = Forms(is_document=True, is_pattern=False)

    def __init__(self, value: Codec, members: Mapping[str, Any]) -> None:
        self.value = value
        self.needs_decode = value.needs_decode or bool(members)
        self.normalises = value.normalises
        self._members = members

    def encode(self, value: Any) -> Any:
        if not is_mapping(value):
            return to_bson(value)
        if self.value.is_identity:
            return {key_to_bson(key): item for key, item in value.items()}
        encode = self.value.encode
        return {key_to_bson(key): encode(item) for key, item in value.items()}

    def decode(self, stored: Any) -> Any:
        if not is_dict(stored) or not self.needs_decode:
            return stored
        members, decode = self._members, self.value.decode
        return {members.get(key, key): decode(item) for key, item in stored.items()}

    def literal(self, value: Any) -> Any:
        if not is_mapping(value):
            return to_bson(value)
        return {key_to_bson(key): self.value.literal(item) for key, item in value.items()}

    def child(self, key: str) -> tuple[str, Codec] | None:
        return key, self.value


class UnionCodec(Codec):
    """A union: the class of a value decides how it is stored, and any member may know a key."""

    def __init__(self, members: list[Codec]) -> None:
        self._members = members
        self.is_identity = all(member.is_identity for member in members)
        self.is_scalar = all(member.is_scalar for member in members)
        self.needs_decode = any(member.needs_decode for member in members)
        self.normalises = any(member.normalises for member in members)

    @property
    def forms(self) -> Forms:  # type: ignore[override]
        """The forms of any member."""
        return _either([member.forms for member in self._members])

    @property
    def item_forms(self) -> Forms:
        """The forms of the items of any member."""
        return _either([member.item_forms for member in self._members])

    def encode(self, value: Any) -> Any:
        return value if self.is_identity else to_bson(value)

    def decode(self, stored: Any) -> Any:
        return from_bson(stored) if self.needs_decode else stored

    def literal(self, value: Any) -> Any:
        for member in self._members:
            if isinstance(member, NormalisedCodec):
                return member.literal(value)
        return super().literal(value)

    def child(self, key: str) -> tuple[str, Codec] | None:
        found = (member.child(key) for member in self._members)
        return next((hit for hit in found if hit is not None), None)

    def names(self) -> Iterable[str]:
        return {name for member in self._members for name in member.names()}


def _either(forms: list[Forms]) -> Forms:
    """Return the forms of a value that may have any of several forms."""
    return Forms(
        is_document=any(form.is_document for form in forms),
        is_pattern=any(form.is_pattern for form in forms),
        names=forms[0].names if len(forms) == 1 else None,
    )
