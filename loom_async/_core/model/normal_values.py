"""Values that are as they are loaded: most need no normalisation after they were stored."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from bson import ObjectId

from ..type_guards import is_collection, is_dict, is_list, is_mapping
from ..types.codec import Codec
from ..types.containers import ArrayCodec, FixedArrayCodec, MappingCodec
from ..types.scalars import NormalisedCodec, ScalarCodec
from ..types.unions import UnionCodec
from .model_codec import ModelCodec

# Types whose values BSON holds exactly, and which are loaded as the same type.
_EXACT = frozenset({str, int, bool, float, bytes, type(None), ObjectId, UUID, Decimal})


def is_normal(codec: Codec, value: Any) -> bool:
    """Say whether a value is for sure as it would be loaded; False if that is unknown.

    Parameters:
        codec: The codec of the value's annotation.
        value: A valid value.
    """
    if value is None or not codec.normalises:
        return True
    if isinstance(codec, ScalarCodec) or type(codec) in (Codec, UnionCodec):
        return _is_exact(value)
    if isinstance(codec, NormalisedCodec):
        return type(value) is str and bool(codec.encode(value) == value)
    if isinstance(codec, ModelCodec):
        if type(value) is not codec.model or value.__pydantic_extra__:
            return False
        values: dict[str, Any] = vars(value)
        return all(is_normal(field.codec, values[field.name]) for field in codec.fields)
    if isinstance(codec, ArrayCodec | MappingCodec) and codec.is_abstract:
        return False
    if isinstance(codec, FixedArrayCodec):
        return all(map(is_normal, codec.items, value))
    if isinstance(codec, ArrayCodec) and is_collection(value):
        return all(is_normal(codec.item, item) for item in value)
    if isinstance(codec, MappingCodec) and is_mapping(value):
        return all(is_normal(codec.value, item) for item in value.values())
    return False


def _is_exact(value: Any) -> bool:
    kind: type[Any] = type(value)  # pyright: ignore[reportUnknownVariableType]
    if kind in _EXACT:
        return True
    if kind is datetime:
        is_exact = value.microsecond % 1000 == 0 and not value.fold
        return is_exact and value.tzinfo is not None and not value.utcoffset()
    if is_list(value):
        return all(map(_is_exact, value))
    if is_dict(value):
        # The driver loads a document that begins with `$ref` as a reference (DBRef).
        has_names = all(type(key) is str and key != "$ref" for key in value)
        return has_names and all(map(_is_exact, value.values()))
    return False
