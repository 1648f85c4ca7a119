"""Declared indexes against those that a collection has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..errors import ConfigurationError
from .metadata import Direction, Index
from .resolver import ModelResolver

Keys: TypeAlias = tuple[tuple[str, Direction], ...]

_COMPARED = ("unique", "sparse", "expireAfterSeconds", "partialFilterExpression", "collation")


@dataclass(frozen=True)
class IndexSpec:
    """An index in the names that documents use."""

    name: str
    keys: Keys
    options: Mapping[str, Any]


@dataclass(frozen=True)
class IndexDifference:
    """What declared and existing indexes differ in, by index name.

    `created`: were declared and missing. `dropped`: existed undeclared, and `drop` was asked.
    `replaced`: existed with other options and were made anew, as `drop` was asked.
    `extra` and `conflicting`: the same two, left alone because `drop` was not asked.
    """

    created: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    conflicting: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any((self.created, self.dropped, self.replaced, self.extra, self.conflicting))


@dataclass(frozen=True)
class Comparison:
    """Wanted indexes that are missing, those that exist otherwise, and names nobody declared."""

    missing: tuple[IndexSpec, ...]
    conflicting: tuple[tuple[IndexSpec, str], ...]
    extra: tuple[str, ...]


def specify(model: type, indexes: Iterable[Index]) -> tuple[IndexSpec, ...]:
    """Return the indexes of a model as the server knows them.

    Raises:
        UnknownFieldError: An index names a field that the model lacks.
        ConfigurationError: Two indexes have the same name.
    """
    resolver = ModelResolver(model)
    specs: dict[str, IndexSpec] = {}
    for index in indexes:
        keys = tuple(
            (name if name == "$**" else resolver.resolve(name).path, direction)
            for name, direction in index.keys
        )
        options = dict(index.options)
        name = str(options.pop("name", "_".join(f"{key}_{direction}" for key, direction in keys)))
        if name in specs:
            raise ConfigurationError(f"{model.__name__} declares two indexes named {name!r}")
        specs[name] = IndexSpec(name, keys, options)
    return tuple(specs.values())


def compare(wanted: Sequence[IndexSpec], existing: Sequence[Mapping[str, Any]]) -> Comparison:
    """Return how the wanted indexes differ from the reply of `listIndexes`."""
    by_keys = {_existing_keys(index): index for index in existing}
    by_name = {str(index["name"]): index for index in existing}
    missing: list[IndexSpec] = []
    conflicting: list[tuple[IndexSpec, str]] = []
    matched: set[str] = {"_id_"}
    for spec in wanted:
        found = by_keys.get(_comparable(spec.keys)) or by_name.get(spec.name)
        if found is None:
            missing.append(spec)
            continue
        matched.add(str(found["name"]))
        same_keys = _existing_keys(found) == _comparable(spec.keys)
        if not same_keys or _options(found) != _options(spec.options):
            conflicting.append((spec, str(found["name"])))
    extra = tuple(name for name in by_name if name not in matched)
    return Comparison(tuple(missing), tuple(conflicting), extra)


def _existing_keys(index: Mapping[str, Any]) -> Keys:
    keys: list[tuple[str, Direction]] = []
    for name, direction in index["key"].items():
        if name == "_fts":
            keys.extend((field, "text") for field in index.get("weights", {}))
        elif name != "_ftsx":
            keys.append((name, direction if isinstance(direction, str) else int(direction)))
    return _comparable(tuple(keys))


def _comparable(keys: Keys) -> Keys:
    # The server does not tell the order in which the fields of a text index were given.
    text = sorted(key for key in keys if key[1] == "text")
    return (*(key for key in keys if key[1] != "text"), *text)


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in _COMPARED if options.get(name)}
