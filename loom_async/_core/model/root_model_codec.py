"""The codec of root models."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from ..types.codec import Codec, Forms
from ..types.sparse import Sparse


class RootModelCodec(Codec):
    """A `RootModel`, stored as the value that it wraps.

    Parameters:
        inner: The codec of that value.
    """

    def __init__(self, inner: Codec) -> None:
        self._inner = inner
        self.forms = inner.forms

    @cached_property
    def sparse(self) -> Sparse | None:  # type: ignore[override]
        """What is left out of the wrapped value."""
        return self._inner.sparse

    @property
    def item_forms(self) -> Forms:
        """The forms of the items of the inner codec."""
        return self._inner.item_forms

    def encode(self, value: Any) -> Any:
        root: Any = getattr(value, "root", value)
        return self._inner.encode(root)

    def decode(self, stored: Any) -> Any:
        return self._inner.decode(stored)

    def literal(self, value: Any) -> Any:
        return self._inner.literal(getattr(value, "root", value))

    def child(self, key: str) -> tuple[str, Codec] | None:
        return self._inner.child(key)

    def stored_child(self, key: str) -> tuple[str, Codec] | None:
        return self._inner.stored_child(key)

    def element(self) -> Codec | None:
        return self._inner.element()
