"""Brings the keys and options of declared and of existing indexes to one comparable form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from ..bson_codec import decode_bson, encode_bson
from ..model.indexes import Direction

Keys: TypeAlias = tuple[tuple[str, Direction], ...]

# The server's defaults. It has further options, such as versions, which are not compared.
_DEFAULTS: dict[str, Any] = {
    "unique": False,
    "sparse": False,
    "hidden": False,
    "expireAfterSeconds": None,
    "partialFilterExpression": None,
    "wildcardProjection": None,
    "collation": None,
}
_TEXT_DEFAULTS: dict[str, Any] = {
    "weights": {},
    "default_language": "english",
    "language_override": "language",
}
_2D_DEFAULTS: dict[str, Any] = {"bits": 26, "min": -180, "max": 180}

# The defaults of the other parts of a collation depend on its locale.
_COLLATION_DEFAULTS: dict[str, Any] = {
    "strength": 3,
    "caseLevel": False,
    "numericOrdering": False,
    "maxVariable": "punct",
}
_SIMPLE = {"locale": "simple"}


def existing_keys(index: Mapping[str, Any]) -> Keys:
    """Return the keys of an index of the server, as `listIndexes` describes it."""
    keys: list[tuple[str, Direction]] = []
    for name, direction in index["key"].items():
        if name == "_fts":
            keys.extend((field, "text") for field in index.get("weights", {}))
        elif name != "_ftsx":
            keys.append((name, direction if isinstance(direction, str) else int(direction)))
    return comparable_keys(tuple(keys))


def comparable_keys(keys: Keys) -> Keys:
    """Return keys with the text keys last and sorted.

    The server does not keep the order in which the fields of a text index were declared.
    """
    text = sorted(key for key in keys if key[1] == "text")
    return (*(key for key in keys if key[1] != "text"), *text)


def comparable_options(options: Mapping[str, Any], keys: Keys) -> dict[str, Any]:
    """Return the options of an index, with defaults for those that are missing.

    Parameters:
        options: The declared options, or what `listIndexes` says.
        keys: The index's keys, whose kinds decide which options it has.
    """
    kinds = {direction for _, direction in keys}
    defaults = dict(_DEFAULTS)
    if "text" in kinds:
        defaults |= _TEXT_DEFAULTS
    if "2d" in kinds:
        defaults |= _2D_DEFAULTS
    stored = {name: _as_stored(options.get(name)) for name in defaults}
    full = {name: defaults[name] if value is None else value for name, value in stored.items()}
    if "text" in kinds:
        full["weights"] = dict.fromkeys((k for k, kind in keys if kind == "text"), 1) | {
            name: int(weight) for name, weight in full["weights"].items()
        }
        full["collation"] = None  # a text index has no collation, even if its collection has one
    if full["collation"] == _SIMPLE:
        full["collation"] = None
    if full["expireAfterSeconds"] is not None:
        full["expireAfterSeconds"] = int(full["expireAfterSeconds"])
    return full


def _as_stored(value: Any) -> Any:
    """Return a value as it is after encoding and decoding."""
    document = getattr(value, "document", value)  # of pymongo's Collation
    return decode_bson(encode_bson({"": document}))[""]


def difference(declared: Mapping[str, Any], existing: Mapping[str, Any]) -> str:
    """Return in words how the keys and options of two indexes differ; "" if they are equal."""
    return "; ".join(
        f"{name}: {_shown(declared.get(name))} is declared, {_shown(existing.get(name))} exists"
        for name in dict.fromkeys((*declared, *existing))
        if not _is_same(name, declared.get(name), existing.get(name))
    )


def _is_same(name: str, declared: Any, existing: Any) -> bool:
    if name != "collation" or declared is None or existing is None:
        return bool(declared == existing)
    collation = _COLLATION_DEFAULTS | dict(declared)
    return all(existing.get(part) == value for part, value in collation.items())


def _shown(value: Any) -> str:
    return "nothing" if value is None else repr(value)
