"""Encodes objects whose types tell that they are valid: one walk both checks and encodes them.

The result is what the codec of the model returns, without a validation of its own. Other objects
are encoded by the codec, and then validated (`write_validation`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from ..errors import EncodingError
from ..type_guards import is_dict, is_list
from ..types.codec import Codec
from ..types.containers import ArrayCodec, MappingCodec
from .codecs import model_codec
from .document import DocumentModel
from .model_codec import ModelCodec, StoredField
from .type_checks import TEXT, Check, EachEntry, EachField, EachItem, ExactType, exact_types
from .write_validation import field_checks, is_assigned

_Encoder: TypeAlias = Callable[[Any], Any]
_FieldsEncoder: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]


class _NotPlainError(Exception):
    """A value whose type does not tell that it is valid."""


def encode_if_plain(document: DocumentModel) -> dict[str, Any] | None:
    """Return an object as it is stored; None if its types do not tell that it is valid.

    Parameters:
        document: The object; it is not changed.
    """
    encoder = _encoder_of(type(document))
    if encoder is None or document.__pydantic_extra__:
        return None
    encode, unchecked = encoder
    for field in unchecked:
        if not is_assigned(document, field):
            return None
    try:
        return encode(vars(document))
    except (_NotPlainError, EncodingError, RecursionError):
        return None  # the codec finds where


@cache
def _encoder_of(
    model: type[DocumentModel],
) -> tuple[_FieldsEncoder, Sequence[StoredField]] | None:
    """Return what encodes the attributes of an object, and the fields without a check.

    There is none if functions validate the whole model.
    """
    checks = field_checks(model)
    if checks.has_model_validators:
        return None
    by_name = {field.name: check for field, check in checks.of_all if check}
    unchecked = [field for field, check in checks.of_all if check is None]
    return _fields_encoder(model_codec(model), by_name), unchecked


def _fields_encoder(codec: ModelCodec, checks: Mapping[str, Check]) -> _FieldsEncoder:
    """Return a function that encodes the attributes of an object, given as a dict.

    Parameters:
        codec: The codec of the model.
        checks: The checks of values by field name; fields without one are not checked.
    """
    values_by_type, kinds = exact_types(checks)
    arrange, tag = codec.arrange, codec.tag
    steps = [
        (field.stored_name, encoder)
        for field in codec.fields
        if (encoder := _field_encoder(field.codec, checks.get(field.name)))
    ]

    def encode(values: dict[str, Any]) -> dict[str, Any]:
        if [*map(type, values_by_type(values))] != kinds:
            raise _NotPlainError
        document = arrange(values)
        for name, encode_value in steps:
            document[name] = encode_value(document[name])
        if tag is not None:
            document[tag[0]] = tag[1]
        return document

    return encode


def _field_encoder(codec: Codec, check: Check | None) -> _Encoder | None:
    """Return the encoder of a field; None if its value is stored as it is.

    An exact type is compared together with those of the other fields.
    """
    if check is None or isinstance(check, ExactType):
        return None if codec.is_identity else codec.encode
    return _encoder(codec, check)


def _encoder(codec: Codec, check: Check) -> _Encoder:
    """Return a function that encodes a value, or raises `_NotPlainError` if a check fails."""
    if isinstance(check, EachField) and type(codec) is ModelCodec and codec.model is check.model:
        return _model_encoder(codec, check)
    if isinstance(check, EachItem) and type(codec) is ArrayCodec:
        return _items_encoder(codec, check)
    if isinstance(check, EachEntry) and type(codec) is MappingCodec and codec.keeps_texts:
        return _entries_encoder(codec, check)
    holds, encode = check.holds, codec.encode

    def encode_value(value: Any) -> Any:
        if not holds(value):
            raise _NotPlainError
        return encode(value)

    return encode_value


def _model_encoder(codec: ModelCodec, check: EachField) -> _Encoder:
    encode_fields, model = _fields_encoder(codec, check.fields), codec.model

    def encode(value: Any) -> Any:
        if type(value) is not model:
            raise _NotPlainError
        return encode_fields(vars(value))

    return encode


def _items_encoder(codec: ArrayCodec, check: EachItem) -> _Encoder:
    encode_item = _encoder(codec.item, check.item)

    def encode(value: Any) -> Any:
        if not is_list(value) or type(value) is not list:
            raise _NotPlainError
        return [encode_item(item) for item in value]

    return encode


def _entries_encoder(codec: MappingCodec, check: EachEntry) -> _Encoder:
    encode_value = _encoder(codec.value, check.value)

    def encode(value: Any) -> Any:
        if not is_dict(value) or type(value) is not dict:
            raise _NotPlainError
        if not TEXT.issuperset(map(type, value)):
            raise _NotPlainError
        return {key: encode_value(item) for key, item in value.items()}

    return encode
