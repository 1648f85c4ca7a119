"""Codecs of values that hold no others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

from bson import ObjectId
from bson.decimal128 import Decimal128
from bson.regex import Regex
from pydantic import TypeAdapter

from ..bson_codec import utc_milliseconds
from ..type_guards import is_collection
from .codec import Codec, Forms
from .values import date_to_bson, decimal_to_bson, to_bson


class Scalar(Codec):
    """Types that BSON has: str, int, float, bool, bytes, UUID, ObjectId, None."""

    is_identity = True
    is_scalar = True
    needs_decode = False
    normalises = False
    forms = Forms(is_document=False, is_pattern=False)

    def encode(self, value: Any) -> Any:
        return value

    def decode(self, stored: Any) -> Any:
        return stored

    def child(self, key: str) -> tuple[str, Codec] | None:
        return None


class Identifier(Scalar):
    """An ObjectId, which a query may also name by its hex digits."""

    def literal(self, value: Any) -> Any:
        if isinstance(value, str) and ObjectId.is_valid(value):
            return ObjectId(value)
        return to_bson(value)


class Counter(Scalar):
    """A number whose changes are sent as `$inc`."""


class Converted(Scalar):
    """A scalar that one function turns into its BSON form."""

    is_identity = False

    def __init__(self, convert: Callable[[Any], Any], *, normalises: bool = False) -> None:
        self._convert = convert
        self.normalises = normalises

    def encode(self, value: Any) -> Any:
        return None if value is None else self._convert(value)


class Exact(Converted):
    """A Decimal, stored as a Decimal128 of the same digits."""

    needs_decode = True

    def __init__(self) -> None:
        super().__init__(_decimal_like)

    def decode(self, stored: Any) -> Any:
        return stored.to_decimal() if type(stored) is Decimal128 else stored


class Expression(Converted):
    """A compiled regular expression."""

    needs_decode = True
    forms = Forms(is_document=False, is_pattern=True)

    def __init__(self) -> None:
        super().__init__(lambda value: value)

    def decode(self, stored: Any) -> Any:
        return cast("Any", stored).try_compile() if isinstance(stored, Regex) else stored


def _decimal_like(value: Any) -> Any:
    return decimal_to_bson(value) if isinstance(value, Decimal) else to_bson(value)


class Moment(Converted):
    """A datetime: UTC, cut to milliseconds."""

    def __init__(self) -> None:
        super().__init__(_moment_like, normalises=True)


def _moment_like(value: Any) -> Any:
    return utc_milliseconds(value) if isinstance(value, dt.datetime) else to_bson(value)


def day() -> Converted:
    """Return the codec of dates: midnight UTC."""
    return Converted(
        lambda value: date_to_bson(value) if type(value) is dt.date else to_bson(value)
    )


class JsonForm(Converted):
    """A type that BSON lacks, stored as pydantic writes it to JSON."""

    forms = Forms(is_document=True, is_pattern=False)

    def __init__(self, annotation: Any) -> None:
        adapter: TypeAdapter[Any] = TypeAdapter(annotation)
        super().__init__(lambda value: adapter.dump_python(value, mode="json", round_trip=True))
        self.literal = self._literal  # type: ignore[method-assign]

    def _literal(self, value: Any) -> Any:
        return to_bson(value)


class Normalised(Codec):
    """A codec behind a `NormalizeValue` marker."""

    normalises = True

    def __init__(self, inner: Codec, function: Callable[[Any], Any]) -> None:
        self._inner = inner
        self._function = function
        self.is_scalar = inner.is_scalar
        self.needs_decode = inner.needs_decode
        self.forms = inner.forms

    @property
    def item_forms(self) -> Forms:
        """The forms of the items of the codec inside."""
        return self._inner.item_forms

    def encode(self, value: Any) -> Any:
        # Edits inside a list do not pass validation, so the value may not be normal yet.
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
