"""Declared indexes against those that a collection has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..errors import ConfigurationError, UnknownFieldError
from ..model.declaration import Direction, Index
from ..query.model_resolver import ModelResolver
from .index_options import comparable_keys, comparable_options, existing_keys, how_they_differ

Keys: TypeAlias = tuple[tuple[str, Direction], ...]

_WILDCARD = "$**"


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
    `reasons` says of each that was replaced or conflicts what differs.
    """

    created: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    conflicting: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict[str, str])

    def __bool__(self) -> bool:
        return any((self.created, self.dropped, self.replaced, self.extra, self.conflicting))


@dataclass(frozen=True)
class Conflict:
    """A wanted index, what `listIndexes` says of the one in its place, and how they differ."""

    spec: IndexSpec
    existing: Mapping[str, Any]
    reason: str


@dataclass(frozen=True)
class Comparison:
    """Wanted indexes that are missing, those that exist otherwise, and those nobody declared."""

    missing: tuple[IndexSpec, ...]
    conflicting: tuple[Conflict, ...]
    extra: tuple[Mapping[str, Any], ...]


def specify(model: type, indexes: Iterable[Index]) -> tuple[IndexSpec, ...]:
    """Return the indexes of a model as the server knows them.

    Raises:
        UnknownFieldError: An index names a field that the model lacks.
        ConfigurationError: Two indexes have the same name.
    """
    resolver = ModelResolver(model)
    specs: dict[str, IndexSpec] = {}
    for index in indexes:
        try:
            keys = tuple((_stored(resolver, name), direction) for name, direction in index.keys)
            options = dict(index.options)
            if weights := options.get("weights"):
                options["weights"] = {_stored(resolver, k): v for k, v in weights.items()}
        except UnknownFieldError as error:
            raise error.within(f"an index of {model.__name__}") from None
        name = str(options.pop("name", "_".join(f"{key}_{direction}" for key, direction in keys)))
        if name in specs:
            raise ConfigurationError(
                f"{model.__name__} declares two indexes named {name!r}",
                hint='give one of them another name: Index("email", name="by_email")',
            )
        specs[name] = IndexSpec(name, keys, options)
    return tuple(specs.values())


def _stored(resolver: ModelResolver, name: str) -> str:
    if name == _WILDCARD:
        return name
    if name.endswith(f".{_WILDCARD}"):
        return f"{resolver.resolve(name.removesuffix(f'.{_WILDCARD}')).path}.{_WILDCARD}"
    return resolver.resolve(name).path


def compare(wanted: Sequence[IndexSpec], existing: Sequence[Mapping[str, Any]]) -> Comparison:
    """Return how the wanted indexes differ from the reply of `listIndexes`."""
    left = [index for index in existing if index["name"] != "_id_"]
    # An index that names no collation has that of its collection, and so has the one over _id.
    inherited = next((i.get("collation") for i in existing if i["name"] == "_id_"), None)
    unmet = [spec for spec in wanted if not _is_given(spec)]
    for spec in tuple(unmet):
        same = [i for i in left if _same_keys(i, spec) and not _reason(spec, i, inherited)]
        if same:
            named = [index for index in same if index["name"] == spec.name]
            left.remove((named or same)[0])
            unmet.remove(spec)
    missing: list[IndexSpec] = []
    conflicting: list[Conflict] = []
    for spec in unmet:
        found = _in_the_way(spec, left)
        if found is None:
            missing.append(spec)
        else:
            left.remove(found)
            conflicting.append(Conflict(spec, found, _reason(spec, found, inherited)))
    return Comparison(tuple(missing), tuple(conflicting), tuple(left))


def _is_given(spec: IndexSpec) -> bool:
    """Say whether it is the index that every collection has: over the ids, and unique."""
    return spec.keys == (("_id", 1),) and set(spec.options) <= {"unique"}


def _in_the_way(spec: IndexSpec, existing: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the index that has its name or its keys; a collection has one text index at most."""
    candidates = sorted(existing, key=lambda index: bool(index["name"] != spec.name))
    is_text = any(direction == "text" for _, direction in spec.keys)
    for index in candidates:
        if index["name"] == spec.name or _same_keys(index, spec):
            return index
    return next((index for index in candidates if is_text and "_fts" in index["key"]), None)


def _same_keys(index: Mapping[str, Any], spec: IndexSpec) -> bool:
    return existing_keys(index) == comparable_keys(spec.keys)


def _reason(spec: IndexSpec, index: Mapping[str, Any], inherited: Any) -> str:
    wanted = {"keys": comparable_keys(spec.keys)} | comparable_options(
        {"collation": inherited, **spec.options}, spec.keys
    )
    found = {"keys": existing_keys(index)} | comparable_options(index, existing_keys(index))
    return how_they_differ(wanted, found)
