"""Codecs of values that hold no others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from bson import ObjectId

from ..bson_codec import UNENCODABLE, encode_bson
from ..errors import EncodingError
from ..type_guards import is_collection
from .codec import Codec, Forms
from .stored_type import StoredType
from .values import is_ordered_value, to_bson


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
        self.is_sortable = entry is None or entry.is_ordered or not _has_order(entry)

    def encode(self, value: Any) -> Any:
        if value is None or self._encode is None:
            return value
        # An assignment that was not validated may hold a value of another class.
        return self._encode(value) if type(value) is self._class else to_bson(value)

    def decode(self, stored: Any) -> Any:
        return stored if self._decode is None else self._decode(stored)

    def is_ordered_with(self, value: Any) -> bool:
        is_ordered = self.entry is None or self.entry.is_ordered
        return is_ordered and is_ordered_value(value)

    def child(self, key: str) -> tuple[str, Codec] | None:
        return None


_NO_ORDER = vars(object)["__lt__"]


def _has_order(entry: StoredType) -> bool:
    """Say whether Python orders the values of an entry."""
    return any(getattr(kind, "__lt__", None) is not _NO_ORDER for kind in entry.classes)


class ObjectIdCodec(ScalarCodec):
    """An ObjectId, which a query may also name by its hex digits."""

    def literal(self, value: Any) -> Any:
        if isinstance(value, str) and ObjectId.is_valid(value):
            return ObjectId(value)
        return to_bson(value)


class CounterCodec(ScalarCodec):
    """A number whose changes are sent as `$inc`."""


class ChoiceCodec(ScalarCodec):
    """One of a few values: a member of an Enum, a value of a `Literal`.

    Parameters:
        choices: The values.
        is_ordered: Whether Python orders the values as MongoDB orders their stored forms.
    """

    def __init__(self, choices: Iterable[Any], *, is_ordered: bool) -> None:
        super().__init__()
        is_enum = isinstance(choices, type)
        self.is_identity = False
        self._is_ordered = is_ordered
        self._by_form: dict[bytes, Any] = {}
        for choice in choices:
            form = _form(to_bson(choice))
            if form is None or self._by_form.setdefault(form, choice) != choice:
                raise EncodingError(
                    f"{choice!r} has the stored form of another choice, or none", path=""
                )
        # pydantic finds a member of an Enum by its value, if that is stored as it is.
        self.needs_decode = any(
            to_bson(choice) is not (choice.value if is_enum else choice)
            for choice in self._by_form.values()
        )

    def encode(self, value: Any) -> Any:
        return None if value is None else to_bson(value)

    def decode(self, stored: Any) -> Any:
        return self.find(stored, stored) if self.needs_decode else stored

    def find(self, stored: Any, default: Any = None) -> Any:
        """Return the choice of a stored value; the default if there is none."""
        form = _form(stored)
        return default if form is None else self._by_form.get(form, default)

    def is_ordered_with(self, value: Any) -> bool:
        return self._is_ordered


def _form(stored: Any) -> bytes | None:
    try:
        return encode_bson({"": stored})
    except UNENCODABLE:
        return None


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
    def is_deterministic(self) -> bool:  # type: ignore[override]
        """True if the inner codec is."""
        return self._inner.is_deterministic

    @property
    def is_sortable(self) -> bool:  # type: ignore[override]
        """True if the inner codec is."""
        return self._inner.is_sortable

    @property
    def item_forms(self) -> Forms:
        """The forms of the items of the inner codec."""
        return self._inner.item_forms

    def encode(self, value: Any) -> Any:
        # An item that is added to a list is not validated, so it may not be normalised yet.
        if value is None:
            return None
        try:
            normal = self._function(value)
        except Exception as error:  # a user's function may raise anything
            raise EncodingError(f"{value!r} cannot be normalised: {error}", path="") from error
        return self._inner.encode(normal)

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

    def is_ordered_with(self, value: Any) -> bool:
        return self._inner.is_ordered_with(value)

    def keep_stored(self, stored: Any, encoded: Any) -> Any:
        return self._inner.keep_stored(stored, encoded)

    def child(self, key: str) -> tuple[str, Codec] | None:
        return self._inner.child(key)

    def element(self) -> Codec | None:
        return self._inner.element()
