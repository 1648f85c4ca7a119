"""Whether two values have the same BSON."""

from __future__ import annotations

import marshal
from datetime import datetime
from typing import Any
from uuid import UUID

from bson import ObjectId

from ..bson_codec import encode_bson

#: The value at a path that a document lacks.
MISSING = object()


def same(left: Any, right: Any) -> bool:
    """Say whether two values, or `MISSING`, have the same BSON: types, order, the sign of zero."""
    if left is right:
        return True
    if left is MISSING or right is MISSING:
        return False
    kind = type(left)  # pyright: ignore[reportUnknownVariableType]
    if kind is type(right) and kind in _EXACTLY_EQUAL:
        return bool(left == right)
    if kind is datetime and left == right:
        return True
    try:
        # Tells types, order and signs apart as BSON does, in a fifth of the time for small values.
        return marshal.dumps(left, _WITHOUT_REFERENCES) == marshal.dumps(right, _WITHOUT_REFERENCES)
    except ValueError:  # a value of a type that marshal does not know
        return as_bytes(left) == as_bytes(right)


# Types whose values have the same BSON if and only if they are equal.
_EXACTLY_EQUAL = frozenset({str, int, bool, bytes, type(None), ObjectId, UUID})
# The version of marshal's format that writes a value out each time it is met.
_WITHOUT_REFERENCES = 2


def as_key(value: Any) -> bytes:
    """Return bytes that are the same for values that have the same BSON."""
    try:
        return marshal.dumps(value, _WITHOUT_REFERENCES)
    except ValueError:
        return as_bytes(value)


def as_bytes(value: Any) -> bytes:
    """Return the BSON bytes of a value."""
    return encode_bson({"": value})


def differing(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return the keys of `after` that have another value in `before`, or none."""
    keys: list[str] = []
    for key, value in after.items():
        old = before.get(key, MISSING)
        kind = type(value)  # pyright: ignore[reportUnknownVariableType]
        # As in `same`, without a call for each entry.
        if kind in _EXACTLY_EQUAL and kind is type(old):
            is_same = old == value
        else:
            is_same = same(old, value)
        if not is_same:
            keys.append(key)
    return keys
