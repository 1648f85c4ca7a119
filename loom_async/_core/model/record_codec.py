"""The codec of dataclasses and `TypedDict`s."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, NamedTuple, get_origin

from pydantic import ValidationError
from typing_extensions import is_typeddict

from ..errors import EncodingError
from ..type_guards import is_dict, is_mapping
from ..types.codec import ANY, Codec, Forms
from ..types.custom import UndecodableValue
from ..types.record_fields import RecordField, record_fields
from ..types.sparse import SparseDocument, SparseField
from ..types.values import key_to_bson, to_bson
from .checked_codec import CheckedCodec
from .extra_fields import ExtraFields, extra_annotation
from .nullable import is_none_if_missing_in_record
from .record_errors import same_stored_name, subclass_refused, undeclared_key
from .stored_dataclasses import needs_creation, stored_dataclass


class _Field(NamedTuple):
    name: str
    stored_name: str
    input_name: str
    annotation: Any
    codec: Codec


class RecordCodec(Codec):
    """A dataclass or a `TypedDict`, stored as a document.

    Parameters:
        annotation: The class, with its type arguments if it has any.
        codec_of: Returns the codec of an annotation; called on first use, when a class that
            contains itself is complete.
        allows_extra: Whether the class has `extra="allow"`.
        is_view: Whether the objects are not stored: their `__post_init__` may change the fields.

    Raises:
        ConfigurationError: Stored objects of the class would not load.
    """

    is_identity = False
    forms = Forms(is_document=True, is_pattern=False)

    def __init__(
        self,
        annotation: Any,
        codec_of: Callable[[Any], Codec],
        *,
        allows_extra: bool,
        is_view: bool = False,
    ) -> None:
        self.annotation = annotation
        self.kind: Any = get_origin(annotation) or annotation
        self._codec_of = codec_of
        self._is_typed_dict = is_typeddict(self.kind)
        self._has_extra = allows_extra
        self._is_created = not is_view and needs_creation(self.kind)
        self._measuring = False
        self._is_deterministic: bool | None = None

    @cached_property
    def fields(self) -> tuple[_Field, ...]:
        """The stored fields in the order of the class."""
        fields = tuple(map(self._field, record_fields(self.annotation)))
        by_name: dict[str, _Field] = {}
        for field in fields:
            other = by_name.setdefault(field.stored_name, field)
            if other is not field:
                raise same_stored_name(self.kind, other.name, field.name, field.stored_name)
        return fields

    def _field(self, field: RecordField) -> _Field:
        codec = self._codec_of(field.annotation)
        if field.is_unchecked:
            codec = CheckedCodec(codec, field.annotation)
        return _Field(*field[:4], codec)

    @cached_property
    def _by_name(self) -> dict[str, _Field]:
        return self._by_stored_name | {f.name: f for f in self.fields}

    @cached_property
    def _by_stored_name(self) -> dict[str, _Field]:
        return {f.name: f for f in self.fields} | {f.stored_name: f for f in self.fields}

    @cached_property
    def _extra(self) -> ExtraFields:
        names = {name for f in self.fields for name in (f.stored_name, f.input_name)}
        codec = self._codec_of(extra_annotation(self.annotation))
        return ExtraFields(self.kind.__name__, codec, names)

    @cached_property
    def needs_decode(self) -> bool:  # type: ignore[override]
        """True if a field needs it or has another name in documents, or the class holds itself."""
        return (
            self._is_created
            or self._any("needs_decode")
            or any(f.stored_name != f.input_name for f in self.fields)
            or (self._is_typed_dict and self._extra.codec is not ANY)
        )

    @cached_property
    def normalises(self) -> bool:  # type: ignore[override]
        """True if a field does, or if the class contains itself or allows extra fields."""
        return self._any("normalises") or self._allows_extra

    @cached_property
    def sparse(self) -> SparseDocument:  # type: ignore[override]
        """The fields that are left out if they are None."""
        return SparseDocument(lambda: map(self._sparse_field, record_fields(self.annotation)))

    def _sparse_field(self, field: RecordField) -> SparseField:
        codec = self._by_stored_name[field.stored_name].codec
        may_lack = is_none_if_missing_in_record(self.kind, field.name, field.annotation, codec)
        return SparseField(field.name, field.stored_name, may_lack, codec.sparse)

    @property
    def is_deterministic(self) -> bool:  # type: ignore[override]
        """True if all fields are, besides the class itself."""
        if self._is_deterministic is None:
            self._is_deterministic = True  # the answer for the class inside itself
            codecs = [self._extra.codec, *(field.codec for field in self.fields)]
            self._is_deterministic = all(codec.is_deterministic for codec in codecs)
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
        kind: type[Any] = type(value)  # pyright: ignore[reportUnknownVariableType]
        if kind is self.kind:
            return self._encode_object(value)
        if is_mapping(value):
            return self._encode_entries(value, is_valid=self._is_typed_dict)
        if not self._is_typed_dict and isinstance(value, self.kind):
            raise subclass_refused(kind, self.kind)
        return to_bson(value)

    def _encode_object(self, value: Any) -> dict[str, Any]:
        document: dict[str, Any] = {}
        name = ""
        try:
            for name, stored_name, _, _, codec in self.fields:
                item = getattr(value, name, _ABSENT)
                if item is not _ABSENT:
                    document[stored_name] = codec.encode(item)
        except EncodingError as error:
            raise error.below(name) from error.__cause__
        if self._allows_extra:
            document |= self._extra.encode(_extra_attributes(value))
        return document

    def _encode_entries(self, value: Mapping[Any, Any], *, is_valid: bool) -> dict[str, Any]:
        """Return the document of a `TypedDict`, or of a dict in the place of a dataclass.

        Parameters:
            value: The dict.
            is_valid: Whether it has the names of the fields, not their stored names.
        """
        document: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        known = self._names if is_valid else self._by_name
        for key, item in value.items():
            field = known.get(key)
            if field is None:
                extra[key_to_bson(key)] = item
                continue
            try:
                document[field.stored_name] = field.codec.encode(item)
            except EncodingError as error:
                raise error.below(key) from error.__cause__
        if not extra:
            return document
        if is_valid and not self._allows_extra:
            raise undeclared_key(next(iter(extra)), self.kind)
        return document | self._extra.encode(extra)

    def has_keys(self, value: Mapping[Any, Any]) -> bool:
        if not self._is_typed_dict:
            return False
        is_complete = self.kind.__required_keys__.issubset(value)
        return is_complete and (self._allows_extra or self._names.keys() >= value.keys())

    @cached_property
    def _names(self) -> dict[str, _Field]:
        return {field.name: field for field in self.fields}

    def decode(self, stored: Any) -> Any:
        """Return what pydantic can validate: an object, if pydantic would change its fields."""
        values = self.decode_fields(stored)
        if not self._is_created or not is_dict(values):
            return values
        try:
            return stored_dataclass(self.annotation).create(values)
        except ValidationError:
            return values  # pydantic names what does not fit, when it validates the values

    def decode_fields(self, stored: Any) -> Any:
        """Return the fields of a stored document by the names that pydantic validates."""
        if not is_dict(stored):
            return stored
        result: dict[str, Any] = {}
        for key, item in stored.items():
            field = self._by_stored_name.get(key)
            if field is None:
                result.setdefault(key, self._extra.decode(key, item))
            elif key == field.stored_name or field.stored_name not in stored:
                result[field.input_name] = _decoded(field, item)
        return result

    def literal(self, value: Any) -> Any:
        if is_mapping(value):
            return self._encode_entries(value, is_valid=False)
        return self.encode(value)

    @cached_property
    def of_rows(self) -> RecordCodec:
        """The codec of the same fields for objects of another class, which are not stored."""
        return RecordCodec(
            self.annotation, self._codec_of, allows_extra=self._has_extra, is_view=True
        )

    def keep_stored(self, stored: Any, encoded: Any) -> Any:
        if self.is_deterministic or not (is_dict(stored) and is_dict(encoded)):
            return encoded
        kept = dict(encoded)
        for name, item in encoded.items():
            child = self.stored_child(name)
            if child is not None and name in stored:
                kept[name] = child[1].keep_stored(stored[name], item)
        return kept

    def declared(self, key: str) -> _Field | None:
        """Return the field of a name or a stored name; None if there is none."""
        return self._by_name.get(key)

    def child(self, key: str) -> tuple[str, Codec] | None:
        return self._child(self._by_name.get(key), key)

    def stored_child(self, key: str) -> tuple[str, Codec] | None:
        return self._child(self._by_stored_name.get(key), key)

    def _child(self, field: _Field | None, key: str) -> tuple[str, Codec] | None:
        if field is not None:
            return field.stored_name, field.codec
        return (key, self._extra.codec) if self._allows_extra else None

    @cached_property
    def _allows_extra(self) -> bool:
        return self._has_extra or self._extra.codec is not ANY

    def names(self) -> Iterable[str]:
        return (field.name for field in self.fields)


_ABSENT = object()


def _decoded(field: _Field, stored: Any) -> Any:
    try:
        return field.codec.decode(stored) if field.codec.needs_decode else stored
    except UndecodableValue as error:
        raise error.below(field.name) from error.__cause__


def _extra_attributes(value: Any) -> dict[str, Any]:
    """Return the extra fields of a dataclass, which are attributes that its class does not have."""
    held: dict[str, Any] = getattr(value, "__dict__", {})
    kind: Any = type(value)  # pyright: ignore[reportUnknownVariableType]
    known = kind.__dataclass_fields__
    return {k: v for k, v in held.items() if k not in known and not _is_cached(kind, k)}


def _is_cached(kind: type[Any], name: str) -> bool:
    return isinstance(getattr(kind, name, None), cached_property)
