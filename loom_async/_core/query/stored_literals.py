"""The literals that have the stored form of a field already, so that nothing has to read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from bson import ObjectId

from ..types.codec import Codec
from ..types.forms import Scalar, Shape
from ..types.scalars import ObjectIdCodec, ScalarCodec

#: By the exact type of a literal, what says whether it has the stored form.
Checks: TypeAlias = Mapping[type, Callable[[Any], bool]]


def stored_literals(codec: Codec, shape: Shape | None) -> Checks:
    """Return the checks of the literals of a field; other types have to be read.

    Parameters:
        codec: The codec of the field.
        shape: The shape of its values; None if they may be anything.
    """
    if type(codec) is ObjectIdCodec:
        return _CHECKS[ObjectId]
    entry = codec.entry if isinstance(codec, ScalarCodec) else None
    is_plain = type(codec) is ScalarCodec and shape is not None and isinstance(shape.form, Scalar)
    return _CHECKS.get(entry.classes[0], _NONE) if is_plain and entry is not None else _NONE


def _always(value: object) -> bool:
    return True


def _fits_64_bits(value: int) -> bool:
    return value.bit_length() < 64


_NONE: Checks = MappingProxyType({})
_CHECKS: Mapping[type, Checks] = {
    ObjectId: {ObjectId: _always},
    bool: {bool: _always},
    float: {float: _always},
    int: {int: _fits_64_bits},
    str: {str: str.isascii},  # others may be no valid Unicode
}
