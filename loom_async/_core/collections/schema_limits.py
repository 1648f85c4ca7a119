"""pydantic's constraints as keywords of `$jsonSchema`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

import annotated_types as at
from pydantic import BeforeValidator, Strict
from pydantic.fields import FieldInfo

from ..model.markers import CoalesceOnInsert, Increment, RefreshOnSet
from ..types.conversions import decimal_to_bson
from .schema_patterns import portable_pattern

Schema = dict[str, Any]

_LONGEST = 2**31 - 1
_INT64 = 2**63 - 1
_EXACT_IN_FLOAT = 2**53
_HARMLESS = (
    at.BaseMetadata,
    BeforeValidator,
    Strict,
    Increment,
    CoalesceOnInsert,
    RefreshOnSet,
)
_LENGTHS = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}


def limits(kind: str, metadata: Iterable[Any]) -> Schema:
    """Return the keywords that hold for the stored values; none if a validator may change values.

    Parameters:
        kind: "int", "float", "decimal", "string", "array" or "object".
        metadata: The metadata of `Annotated`.
    """
    items = tuple(spread(metadata))
    if any(_may_change(item) for item in items):
        return {}
    if kind == "decimal" and any(getattr(item, "allow_inf_nan", None) for item in items):
        return {}  # no bounds accept NaN
    found: Schema = {}
    for item in items:
        if kind in _LENGTHS:
            _add_lengths(found, item, *_LENGTHS[kind])
        else:
            _add_bounds(found, item, _BOUNDS[kind])
        pattern = portable_pattern(getattr(item, "pattern", None)) if kind == "string" else None
        if pattern is not None:
            found["pattern"] = pattern
    return found


def spread(metadata: Iterable[Any]) -> Iterator[Any]:
    """Yield the single constraints of `Annotated` metadata."""
    for item in metadata:
        if item is None:
            continue
        if isinstance(item, FieldInfo):
            yield from spread(item.metadata)
        elif isinstance(item, at.GroupedMetadata):
            yield from spread(item)
        else:
            yield item


def _may_change(item: Any) -> bool:
    if getattr(item, "to_lower", None) or getattr(item, "to_upper", None):
        return True  # "İ" has two characters in lower case
    is_pydantics = type(item).__module__.startswith("pydantic._internal._fields")
    return not (isinstance(item, _HARMLESS) or is_pydantics)


def _add_lengths(found: Schema, item: Any, least: str, most: str) -> None:
    for keyword, length in (
        (least, getattr(item, "min_length", None)),
        (most, getattr(item, "max_length", None)),
    ):
        if isinstance(length, int) and 0 <= length <= _LONGEST:
            found[keyword] = length


def _add_bounds(found: Schema, item: Any, convert: Callable[[Any], Any]) -> None:
    for name, keyword, is_exclusive in (
        ("ge", "minimum", False),
        ("gt", "minimum", True),
        ("le", "maximum", False),
        ("lt", "maximum", True),
    ):
        bound = convert(getattr(item, name, None))
        if bound is None:
            continue
        found[keyword] = bound
        found.pop(f"exclusive{keyword.capitalize()}", None)
        if is_exclusive:
            found[f"exclusive{keyword.capitalize()}"] = True


def _whole(bound: Any) -> int | None:
    return bound if type(bound) is int and abs(bound) <= _INT64 else None


def _real(bound: Any) -> float | None:
    if type(bound) is int:
        return bound if abs(bound) <= _EXACT_IN_FLOAT else None
    return bound if type(bound) is float and math.isfinite(bound) else None


def _exact(bound: Any) -> Any:
    if type(bound) is int and abs(bound) <= _INT64:
        return bound
    if not isinstance(bound, Decimal) or not bound.is_finite():
        return None
    try:
        return decimal_to_bson(bound)
    except ValueError:
        return None  # more digits than Decimal128 has


_BOUNDS: dict[str, Callable[[Any], Any]] = {"int": _whole, "float": _real, "decimal": _exact}
