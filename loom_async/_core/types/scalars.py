"""Codecs of values that hold no others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bson import ObjectId
from pydantic import TypeAdapter

from ..type_guards import is_collection
from .codec import Codec, Forms
from .registry import StoredType
from .values import to_bson


class ScalarCodec(Codec):
    """A scalar, stored as its entry in the registry says; without an entry, as it is.

    Parameters:
        entry: The entry of the annotation's class.
    """

    is_scalar = True

    def __init__(self, entry: StoredType | None = None) -> None:
        self.entry: StoredType | None = entry
        self._encode = None if entry is None else entry.encode
        self._decode = None if entry is None else entry.decode
        self._class: Any = None if entry is None else entry.classes[0]
        is_pattern = entry is not None and entry.bson == ("regex",)
        self.is_identity = self._encode is None and self._decode is None
        self.needs_decode = self._decode is not None
        self.normalises = entry is not None and entry.normalises
        self.forms = Forms(is_document=False, is_pattern=is_pattern)

    def encode(self, value: Any) -> Any:
        if value is None or self._encode is None:
            return value
        # An assignment that was not validated may hold a value of another class.
        return self._encode(value) if type(value) is self._class else to_bson(value)

    def decode(self, stored: Any) -> Any:
        return stored if self._decode is None else self._decode(stored)

    def child(self, key: str) -> tuple[str, Codec] | None:
        return None


class ObjectIdCodec(ScalarCodec):
    """An ObjectId, which a query may also name by its hex digits."""

    def literal(self, value: Any) -> Any:
        if isinstance(value, str) and ObjectId.is_valid(value):
            return ObjectId(value)
        return to_bson(value)


class CounterCodec(ScalarCodec):
    """A number whose changes are sent as `$inc`."""


class ValueCodec(ScalarCodec):
    """A scalar whose stored form depends on the value: a member of an Enum, of a `Literal`."""

    def __init__(self) -> None:
        super().__init__()
        self.is_identity = False

    def encode(self, value: Any) -> Any:
        return None if value is None else to_bson(value)


class JsonCodec(ScalarCodec):
    """A type that BSON lacks, stored as pydantic writes it to JSON."""

    def __init__(self, annotation: Any) -> None:
        super().__init__()
        self.is_identity = False
        self.forms = Forms(is_document=True, is_pattern=False)
        self._adapter: TypeAdapter[Any] = TypeAdapter(annotation)

    def encode(self, value: Any) -> Any:
        if value is None:
            return None
        return self._adapter.dump_python(value, mode="json", round_trip=True)


class NormalisedCodec(Codec):
    """A codec whose values pass through the function of a `NormalizeValue` marker."""

    normalises = True

    def __init__(self, inner: Codec, function: Callable[[Any], Any]) -> None:
        self._inner = inner
        self._function = function
        self.is_scalar = inner.is_scalar
        self.needs_decode = inner.needs_decode
        self.forms = inner.forms

    @property
    def item_forms(self) -> Forms:
        """The forms of the items of the inner codec."""
        return self._inner.item_forms

    def encode(self, value: Any) -> Any:
        # An item that is added to a list is not validated, so it may not be normalised yet.
        return None if value is None else self._inner.encode(self._function(value))

    def decode(self, stored: Any) -> Any:
        return self._inner.decode(stored)

    def literal(self, value: Any) -> Any:
        if self._inner.holds_items and not is_collection(value):
            return self._inner.literal(value)
        try:
            return self._inner.literal(self._function(value))
        except (TypeError, AttributeError):
            # A literal of another type (None, a number, a list) is compared as it is.
            return self._inner.literal(value)

    def child(self, key: str) -> tuple[str, Codec] | None:
        return self._inner.child(key)
