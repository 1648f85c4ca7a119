"""The codec of `NamedTuple`s."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, get_origin

from ..type_guards import is_collection, is_list
from ..types.codec import ANY, Codec, Forms
from ..types.containers import FixedArrayCodec
from ..types.record_fields import RecordField, record_fields
from ..types.values import to_bson
from .checked_codec import CheckedCodec
from .record_errors import subclass_refused


class NamedTupleCodec(Codec):
    """A `NamedTuple`, stored as an array.

    Parameters:
        annotation: The class, with its type arguments if it has any.
        codec_of: Returns the codec of an annotation; called on first use.
    """

    is_identity = False
    forms = Forms(is_document=False, is_pattern=False)

    def __init__(self, annotation: Any, codec_of: Callable[[Any], Codec]) -> None:
        self._kind: Any = get_origin(annotation) or annotation
        self._annotation = annotation
        self._codec_of = codec_of

    @cached_property
    def _positions(self) -> dict[str, int]:
        fields = record_fields(self._annotation)
        return {field.stored_name: index for index, field in enumerate(fields)} | {
            field.name: index for index, field in enumerate(fields)
        }

    @cached_property
    def _array(self) -> FixedArrayCodec:
        fields = record_fields(self._annotation)
        return FixedArrayCodec(ANY, list(map(self._codec, fields)))

    def _codec(self, field: RecordField) -> Codec:
        codec = self._codec_of(field.annotation)
        return CheckedCodec(codec, field.annotation) if field.is_unchecked else codec

    def encode(self, value: Any) -> Any:
        if not is_collection(value):
            return to_bson(value)
        if isinstance(value, self._kind) and type(value) is not self._kind:
            raise subclass_refused(type(value), self._kind)
        return self._array.encode(value)

    def decode(self, stored: Any) -> Any:
        if not is_list(stored) or not self._array.needs_decode:
            return stored
        # An array from before the class had its last fields is shorter.
        codecs = self._array.items
        decoded = [codec.decode(item) for codec, item in zip(codecs, stored, strict=False)]
        return decoded + stored[len(codecs) :]

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
