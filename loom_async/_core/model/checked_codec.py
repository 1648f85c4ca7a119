"""The codec of fields whose values Loom validates, not pydantic."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from ..errors import EncodingError
from ..types.adapters import adapter_of
from ..types.codec import Codec, Forms
from ..types.custom import UndecodableValue
from ..types.equality import is_same
from ..types.values import refuse


def checked(validate: Callable[..., Any], decoded: Any) -> Any:
    """Return what pydantic makes of a decoded value.

    Raises:
        UndecodableValue: The value does not fit.
    """
    try:
        return validate(decoded, strict=False, by_alias=True, by_name=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UndecodableValue(first["msg"], tuple(map(str, first["loc"]))) from error


class CheckedCodec(Codec):
    """A field that pydantic takes for a type variable without arguments.

    A base class has the arguments, as in `class Timed(Box[timedelta])`. The values are validated
    before they are stored and when they are loaded.

    Parameters:
        inner: The codec of the values.
        annotation: The annotation, with the arguments.
    """

    def __init__(self, inner: Codec, annotation: Any) -> None:
        self._inner = inner
        self._annotation = annotation

    @cached_property
    def _validate(self) -> Callable[..., Any]:
        return adapter_of(self._annotation).validate_python

    @property
    def is_deterministic(self) -> bool:  # type: ignore[override]
        """True if the inner codec is."""
        return self._inner.is_deterministic

    @property
    def is_sortable(self) -> bool:  # type: ignore[override]
        """True if the inner codec is."""
        return self._inner.is_sortable

    @property
    def forms(self) -> Forms:  # type: ignore[override]
        """The forms of the inner codec."""
        return self._inner.forms

    @property
    def item_forms(self) -> Forms:
        """The forms of the items of the inner codec."""
        return self._inner.item_forms

    def encode(self, value: Any) -> Any:
        stored = self._inner.encode(value)
        try:
            loaded = self.decode(stored)
        except UndecodableValue as error:
            raise EncodingError(f"{value!r} would not load: {error.reason}", path="") from error
        return stored if is_same(loaded, value) else refuse(loaded, value)

    def decode(self, stored: Any) -> Any:
        return checked(self._validate, self._inner.decode(stored))

    def literal(self, value: Any) -> Any:
        return self._inner.literal(value)

    def is_ordered_with(self, value: Any) -> bool:
        return self._inner.is_ordered_with(value)

    def keep_stored(self, stored: Any, encoded: Any) -> Any:
        return self._inner.keep_stored(stored, encoded)

    def child(self, key: str) -> tuple[str, Codec] | None:
        return self._inner.child(key)

    def stored_child(self, key: str) -> tuple[str, Codec] | None:
        return self._inner.stored_child(key)

    def element(self) -> Codec | None:
        return self._inner.element()

    def names(self) -> Iterable[str]:
        return self._inner.names()
