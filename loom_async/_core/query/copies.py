"""Copies filters and stages, of which no caller may change a part that a query holds."""

from __future__ import annotations

import datetime as dt
from copy import deepcopy
from typing import Any
from uuid import UUID

from bson import Binary, Decimal128, Int64, ObjectId, Regex

_IMMUTABLE = frozenset(
    {
        type(None), bool, int, float, str, bytes, dt.datetime, UUID,
        Binary, Decimal128, Int64, ObjectId, Regex,
    }
)  # fmt: skip


def copied(value: Any) -> Any:
    """Return a copy of a filter, of a stage or of a value in one.

    It equals what `deepcopy` returns, in about a third of the time: immutable values need no copy.

    Parameters:
        value: The value.
    """
    kind: type[Any] = type(value)  # pyright: ignore[reportUnknownVariableType]
    if kind in _IMMUTABLE:
        return value
    if kind is dict:
        return {key: copied(item) for key, item in value.items()}
    if kind is list:
        return [copied(item) for item in value]
    return deepcopy(value)
