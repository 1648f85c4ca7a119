"""The keys and options of indexes in one form, whoever states them: a declaration or the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from ..bson_codec import decode_bson, encode_bson
from ..model.declaration import Direction

Keys: TypeAlias = tuple[tuple[str, Direction], ...]

# What the server takes an option for that nobody gave. Others are versions, which it chooses.
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
_FLAT_DEFAULTS: dict[str, Any] = {"bits": 26, "min": -180, "max": 180}

# The other parts of a collation have defaults that depend on its language.
_COLLATION_DEFAULTS: dict[str, Any] = {
    "strength": 3,
    "caseLevel": False,
    "numericOrdering": False,
    "maxVariable": "punct",
}
_SIMPLE = {"locale": "simple"}


def existing_keys(index: Mapping[str, Any]) -> Keys:
    """Return the keys of an index that the server tells of."""
    keys: list[tuple[str, Direction]] = []
    for name, direction in index["key"].items():
        if name == "_fts":
            keys.extend((field, "text") for field in index.get("weights", {}))
        elif name != "_ftsx":
            keys.append((name, direction if isinstance(direction, str) else int(direction)))
    return comparable_keys(tuple(keys))


def comparable_keys(keys: Keys) -> Keys:
    """Return keys with those of a text index last, in an order of their own.

    The server does not tell the order in which the fields of a text index were given.
    """
    text = sorted(key for key in keys if key[1] == "text")
    return (*(key for key in keys if key[1] != "text"), *text)


def comparable_options(options: Mapping[str, Any], keys: Keys) -> dict[str, Any]:
    """Return the options of an index with all that was left out filled in.

    Parameters:
        options: What was declared, or what the server tells.
        keys: The index's keys, which say what options it may have.
    """
    kinds = {direction for _, direction in keys}
    defaults = dict(_DEFAULTS)
    if "text" in kinds:
        defaults |= _TEXT_DEFAULTS
    if "2d" in kinds:
        defaults |= _FLAT_DEFAULTS
    given = {name: _as_stored(options.get(name)) for name in defaults}
    full = {k: defaults[k] if value is None else value for k, value in given.items()}
    if "text" in kinds:
        full["weights"] = dict.fromkeys((k for k, kind in keys if kind == "text"), 1) | {
            name: int(weight) for name, weight in full["weights"].items()
        }
        full["collation"] = None  # a text index has none, whatever its collection has
    if full["collation"] == _SIMPLE:
        full["collation"] = None
    if full["expireAfterSeconds"] is not None:
        full["expireAfterSeconds"] = int(full["expireAfterSeconds"])
    return full


def _as_stored(value: Any) -> Any:
    document = getattr(value, "document", value)  # of pymongo's Collation
    return decode_bson(encode_bson({"": document}))[""]


def how_they_differ(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Return what two indexes differ in, in words; nothing if they are the same."""
    return "; ".join(
        f"{name}: {_shown(wanted.get(name))} is declared, {_shown(found.get(name))} exists"
        for name in dict.fromkeys((*wanted, *found))
        if not _same(name, wanted.get(name), found.get(name))
    )


def _same(name: str, wanted: Any, found: Any) -> bool:
    if name != "collation" or wanted is None or found is None:
        return bool(wanted == found)
    return all(found.get(k) == v for k, v in (_COLLATION_DEFAULTS | dict(wanted)).items())


def _shown(value: Any) -> str:
    return "nothing" if value is None else repr(value)
