"""Whether a value that was stored and loaded is still the same."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from pydantic import BaseModel

from ..bson_codec import utc_milliseconds
from ..type_guards import is_mapping, is_sequence


def is_same(loaded: Any, value: Any) -> bool:
    """Say whether a loaded value is the value that was stored, with all that it holds.

    A datetime is the same to milliseconds; a string may be of a subclass of `str`.
    """
    if isinstance(value, bool | None) or not isinstance(value, type(loaded)):
        return loaded is value
    if isinstance(value, dt.datetime):
        return utc_milliseconds(value) == utc_milliseconds(loaded)
    parts = _parts(value)
    if parts is not None:
        of_loaded = _parts(loaded) or []
        return len(parts) == len(of_loaded) and all(map(is_same, of_loaded, parts))
    try:
        return bool(loaded == value) or (loaded != loaded and value != value)
    except (TypeError, ValueError):  # arrays of numpy have no truth
        return False


def _parts(value: Any) -> list[Any] | None:
    """Return what a value holds, in an order; None if it holds no values that are compared."""
    if is_mapping(value):
        return [part for entry in sorted(value.items(), key=_by_key) for part in entry]
    if is_sequence(value):
        return list(value)
    if isinstance(value, BaseModel):
        return [*vars(value).values(), value.__pydantic_extra__ or {}]
    if dataclasses.is_dataclass(value):
        return [getattr(value, field.name) for field in dataclasses.fields(value)]
    return None


def _by_key(entry: tuple[Any, Any]) -> str:
    return repr(entry[0])
