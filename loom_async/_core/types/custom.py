"""Codecs of values whose stored form pydantic or the user chooses, not the registry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import EncodedBytes, EncodedStr
from pydantic_core import PydanticSerializationError

from ..errors import EncodingError
from .adapters import adapter_of
from .codec import Codec, Forms
from .equality import is_same
from .scalars import ScalarCodec
from .stored_as import StoredAs
from .values import refuse, to_bson


class UndecodableValue(ValueError):
    """A stored value that `StoredAs.decode` refuses; `path` says where it is."""

    def __init__(self, reason: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path

    def below(self, name: str) -> UndecodableValue:
        """Return the error for the value that holds this one under a name."""
        return UndecodableValue(self.reason, (name, *self.path))


class StoredAsCodec(ScalarCodec):
    """A type whose stored form the user chooses with `StoredAs`.

    Parameters:
        marker: The user's choice.
        inner: The codec of the stored form.
    """

    needs_decode = True

    def __init__(self, marker: StoredAs, inner: Codec) -> None:
        super().__init__()
        self._marker = marker
        self._inner = inner
        self._read: Callable[..., Any] = adapter_of(marker.stored).validate_python
        self.is_identity = False
        self.needs_decode = True
        self.is_scalar = False  # the user's class may be mutable
        self.is_deterministic = marker.deterministic
        self.is_sortable = marker.ordered
        self.forms = inner.forms

    def encode(self, value: Any) -> Any:
        return None if value is None else self._inner.encode(self._marker.encode(value))

    def decode(self, stored: Any) -> Any:
        if stored is None:
            return None
        try:
            return self._marker.decode(self._read(self._inner.decode(stored), strict=False))
        except Exception as error:  # whatever the user's function raises
            raise UndecodableValue(f"{type(error).__name__}: {error}") from error

    def literal(self, value: Any) -> Any:
        return self.encode(value)

    def is_ordered_with(self, value: Any) -> bool:
        return self._marker.ordered

    def keep_stored(self, stored: Any, encoded: Any) -> Any:
        if self.is_deterministic or stored is None or encoded is None:
            return encoded
        return stored if is_same(self.decode(stored), self.decode(encoded)) else encoded


class PydanticCodec(ScalarCodec):
    """A type that BSON lacks, stored as pydantic writes it to JSON, if it loads back equal.

    Parameters:
        annotation: The annotation, with its metadata.
    """

    def __init__(self, annotation: Any) -> None:
        super().__init__()
        self.is_sortable = False
        self.is_identity = False
        self.is_scalar = False
        self.forms = Forms(is_document=True, is_pattern=False)
        self._adapter = adapter_of(annotation)

    def encode(self, value: Any) -> Any:
        if value is None:
            return None
        try:
            form = self._adapter.dump_python(value, mode="json", round_trip=True, warnings="error")
            loaded = self._adapter.validate_python(form, strict=False)
        except (PydanticSerializationError, ValueError, TypeError) as error:
            raise EncodingError(
                f"pydantic cannot write a {type(value).__name__} to JSON and read it back",
                path="",
                hint="choose a stored form: Annotated[…, lm.StoredAs(str, encode=…, decode=…)]",
            ) from error
        return form if is_same(loaded, value) else refuse(loaded, value)

    def literal(self, value: Any) -> Any:
        try:
            return self.encode(value)
        except EncodingError:
            return to_bson(value)  # the stored form itself

    def is_ordered_with(self, value: Any) -> bool:
        return False


class ProvenCodec(Codec):
    """A codec whose values are loaded before they are stored, as a validator may refuse them.

    Parameters:
        inner: The codec of the values.
        annotation: The annotation, with its metadata.
    """

    def __init__(self, inner: Codec, annotation: Any) -> None:
        self._inner = inner
        self._validate: Callable[..., Any] = adapter_of(annotation).validate_python
        self.is_scalar = inner.is_scalar
        self.holds_items = inner.holds_items
        self.needs_decode = inner.needs_decode
        self.normalises = inner.normalises
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
        stored = self._inner.encode(value)
        try:
            loaded = self._validate(self._inner.decode(stored), strict=False)
        except (ValueError, TypeError) as error:
            raise EncodingError(
                f"{value!r} would not load: {error}",
                path="",
                hint="choose a stored form: Annotated[…, lm.StoredAs(str, encode=…, decode=…)]",
            ) from error
        # A validator may change a value each time, as a hash does: a load leaves that out.
        if type(loaded) is not type(value):
            refuse(loaded, value)
        return stored

    def decode(self, stored: Any) -> Any:
        return self._inner.decode(stored)

    def literal(self, value: Any) -> Any:
        return self._inner.literal(value)

    def is_ordered_with(self, value: Any) -> bool:
        return self._inner.is_ordered_with(value)

    def child(self, key: str) -> tuple[str, Codec] | None:
        return self._inner.child(key)

    def stored_child(self, key: str) -> tuple[str, Codec] | None:
        return self._inner.stored_child(key)


class HiddenCodec(ScalarCodec):
    """A `Secret`, stored as the value inside it.

    Parameters:
        inner: The codec of the value inside.
    """

    def __init__(self, inner: Codec) -> None:
        super().__init__()
        self._inner = inner
        self.is_identity = False
        self.needs_decode = inner.needs_decode
        self.normalises = inner.normalises
        self.forms = inner.forms

    def encode(self, value: Any) -> Any:
        reveal = getattr(value, "get_secret_value", None)
        return self._inner.encode(value if reveal is None else reveal())

    def decode(self, stored: Any) -> Any:
        return self._inner.decode(stored)

    def literal(self, value: Any) -> Any:
        reveal = getattr(value, "get_secret_value", None)
        return self._inner.literal(value if reveal is None else reveal())

    def is_ordered_with(self, value: Any) -> bool:
        return False


class EncodedCodec(ScalarCodec):
    """Bytes or a string that pydantic decodes when it validates them, such as `Base64Bytes`.

    Parameters:
        marker: pydantic's marker, which names the encoder.
    """

    def __init__(self, marker: EncodedBytes | EncodedStr) -> None:
        super().__init__()
        self.is_sortable = False
        self.is_identity = False
        self._to_stored: Callable[[Any], Any] = (
            marker.encode_str if isinstance(marker, EncodedStr) else marker.encode
        )

    def encode(self, value: Any) -> Any:
        return None if value is None else self._to_stored(value)

    def literal(self, value: Any) -> Any:
        return self.encode(value)

    def is_ordered_with(self, value: Any) -> bool:
        return False


class JsonTextCodec(ScalarCodec):
    """A `Json`, stored as the JSON text that pydantic validates.

    Parameters:
        annotation: The annotation, with its metadata.
    """

    def __init__(self, annotation: Any) -> None:
        super().__init__()
        self.is_sortable = False
        self.is_identity = False
        self.is_scalar = False
        self._adapter = adapter_of(annotation)

    def encode(self, value: Any) -> Any:
        if value is None:
            return None
        text: Any = self._adapter.dump_python(value, mode="json", round_trip=True)
        loaded = self._adapter.validate_python(text, strict=False)
        return text if is_same(loaded, value) else refuse(loaded, value)

    def literal(self, value: Any) -> Any:
        return self.encode(value)

    def is_ordered_with(self, value: Any) -> bool:
        return False


class DeferredCodec(Codec):
    """A type alias inside itself; its codec is found on first use.

    Parameters:
        find: Returns the codec of the alias.
    """

    def __init__(self, find: Callable[[], Codec]) -> None:
        self._find = find
        self._found: Codec | None = None

    @property
    def _codec(self) -> Codec:
        if self._found is None:
            self._found = self._find()
        return self._found

    def encode(self, value: Any) -> Any:
        return self._codec.encode(value)

    def decode(self, stored: Any) -> Any:
        return self._codec.decode(stored)

    def literal(self, value: Any) -> Any:
        return self._codec.literal(value)

    def child(self, key: str) -> tuple[str, Codec] | None:
        return self._codec.child(key)

    def stored_child(self, key: str) -> tuple[str, Codec] | None:
        return self._codec.stored_child(key)
