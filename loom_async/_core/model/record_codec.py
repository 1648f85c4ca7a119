"""The codecs of dataclasses, `TypedDict`s and `NamedTuple`s."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, NamedTuple

from ..errors import EncodingError
from ..type_guards import is_collection, is_dict, is_list, is_mapping
from ..types.codec import ANY, Codec, Forms
from ..types.containers import FixedArrayCodec
from ..types.custom import UndecodableValue
from ..types.record_fields import RecordField, record_fields
from ..types.values import from_bson, to_bson


class _Field(NamedTuple):
    name: str
    stored_name: str
    input_name: str
    codec: Codec


class RecordCodec(Codec):
    """A dataclass or a `TypedDict`, stored as a document.

    Parameters:
        kind: The class.
        codec_of: Returns the codec of an annotation; called on first use, when a class that
            contains itself is complete.
    """

    is_identity = False
    forms = Forms(is_document=True, is_pattern=False)

    def __init__(self, kind: Any, codec_of: Callable[[Any], Codec]) -> None:
        self.kind = kind
        self._codec_of = codec_of
        self._measuring = False
        self._is_deterministic: bool | None = None

    @cached_property
    def fields(self) -> tuple[_Field, ...]:
        """The stored fields in the order of the class."""
        return tuple(map(self._field, record_fields(self.kind)))

    def _field(self, field: RecordField) -> _Field:
        codec = self._codec_of(field.annotation)
        return _Field(field.name, field.stored_name, field.input_name, codec)

    @cached_property
    def _by_name(self) -> dict[str, _Field]:
        return {f.stored_name: f for f in self.fields} | {f.name: f for f in self.fields}

    @cached_property
    def needs_decode(self) -> bool:  # type: ignore[override]
        """True if a field needs it or has another name in documents, or the class holds itself."""
        return self._any("needs_decode") or any(f.stored_name != f.input_name for f in self.fields)

    @cached_property
    def normalises(self) -> bool:  # type: ignore[override]
        """True if a field does, or if the class contains itself."""
        return self._any("normalises")

    @property
    def is_deterministic(self) -> bool:  # type: ignore[override]
        """True if all fields are, besides the class itself."""
        if self._is_deterministic is None:
            self._is_deterministic = True  # the answer for the class inside itself
            self._is_deterministic = all(f.codec.is_deterministic for f in self.fields)
        return self._is_deterministic

    def _any(self, trait: str) -> bool:
        if self._measuring:
            return True
        self._measuring = True
        try:
            return any(getattr(field.codec, trait) for field in self.fields)
        finally:
            self._measuring = False

    def encode(self, value: Any) -> Any:
        entries = _entries(value)
        if entries is None or not (is_mapping(value) or type(value) is self.kind):
            return to_bson(value)
        document: dict[str, Any] = {}
        for name, item in entries:
            field = self._by_name.get(name)
            try:
                if field is None:
                    document[name] = to_bson(item)
                else:
                    document[field.stored_name] = field.codec.encode(item)
            except EncodingError as error:
                raise error.below(name) from error.__cause__
        return document

    def decode(self, stored: Any) -> Any:
        if not is_dict(stored):
            return stored
        return {
            (field.input_name if field else key): _decoded(field, item)
            for key, item in stored.items()
            for field in (self._by_name.get(key),)
        }

    def literal(self, value: Any) -> Any:
        return self.encode(value)

    def keep_stored(self, stored: Any, encoded: Any) -> Any:
        if self.is_deterministic or not (is_dict(stored) and is_dict(encoded)):
            return encoded
        kept = dict(encoded)
        for field in self.fields:
            name = field.stored_name
            if name in stored and name in encoded:
                kept[name] = field.codec.keep_stored(stored[name], encoded[name])
        return kept

    def child(self, key: str) -> tuple[str, Codec] | None:
        field = self._by_name.get(key)
        if field is not None:
            return field.stored_name, field.codec
        return (key, ANY) if self._allows_extra else None

    @property
    def _allows_extra(self) -> bool:
        config: Any = getattr(self.kind, "__pydantic_config__", None) or {}
        return bool(config.get("extra") == "allow")

    def names(self) -> Iterable[str]:
        return (field.name for field in self.fields)


def _decoded(field: _Field | None, stored: Any) -> Any:
    if field is None:
        return from_bson(stored)
    try:
        return field.codec.decode(stored) if field.codec.needs_decode else stored
    except UndecodableValue as error:
        raise error.below(field.name) from error.__cause__


def _entries(value: Any) -> Iterable[tuple[str, Any]] | None:
    """Return the names and values of a dataclass or a `TypedDict`; None for another value."""
    if is_mapping(value):
        return value.items()
    fields: dict[str, Any] | None = getattr(value, "__dataclass_fields__", None)
    if fields is None:
        return None
    entries = {
        name: getattr(value, name)
        for name, field in fields.items()
        if field.init and hasattr(value, name)
    }
    if getattr(value, "__pydantic_config__", None):  # it may hold extra fields
        held: dict[str, Any] = value.__dict__
        entries |= {name: item for name, item in held.items() if name not in fields}
    return entries.items()


class NamedTupleCodec(Codec):
    """A `NamedTuple`, stored as an array.

    Parameters:
        kind: The class.
        codec_of: Returns the codec of an annotation; called on first use.
    """

    is_identity = False
    forms = Forms(is_document=False, is_pattern=False)

    def __init__(self, kind: Any, codec_of: Callable[[Any], Codec]) -> None:
        self._kind = kind
        self._codec_of = codec_of

    @cached_property
    def _positions(self) -> dict[str, int]:
        fields = record_fields(self._kind)
        return {field.name: index for index, field in enumerate(fields)} | {
            field.stored_name: index for index, field in enumerate(fields)
        }

    @cached_property
    def _array(self) -> FixedArrayCodec:
        fields = record_fields(self._kind)
        return FixedArrayCodec(ANY, [self._codec_of(field.annotation) for field in fields])

    def encode(self, value: Any) -> Any:
        if not is_collection(value):
            return to_bson(value)
        return self._array.encode(value)

    def decode(self, stored: Any) -> Any:
        return self._array.decode(stored) if is_list(stored) else stored

    def literal(self, value: Any) -> Any:
        return self._array.literal(value) if is_collection(value) else to_bson(value)

    def keep_stored(self, stored: Any, encoded: Any) -> Any:
        return self._array.keep_stored(stored, encoded)

    def child(self, key: str) -> tuple[str, Codec] | None:
        position = self._positions.get(key, key)
        is_known = str(position).isdigit() and int(position) < len(self._array.items)
        return self._array.child(str(position)) if is_known else None

    def names(self) -> Iterable[str]:
        return self._positions
