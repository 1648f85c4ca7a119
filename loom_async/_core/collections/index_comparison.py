"""Compares the declared indexes of a model with the existing ones: missing, conflicting, extra."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..errors import ConfigurationError, LoomError, UnknownFieldError
from ..model.indexes import Index
from ..query.model_resolver import ModelResolver, model_resolver
from .index_options import Keys, comparable_keys, comparable_options, difference, existing_keys

_WILDCARD = "$**"


class IndexSpec(NamedTuple):
    """A declared index, with the stored names of its fields."""

    name: str
    keys: Keys
    options: Mapping[str, Any]


@dataclass(frozen=True)
class IndexDifference:
    """The difference between declared and existing indexes, by name; false if there is none.

    Parameters:
        created: Indexes that were missing, and were created.
        dropped: Undeclared indexes that were dropped (`drop=True`).
        replaced: Indexes that were recreated with the declared keys and options (`drop=True`).
        extra: Undeclared indexes that were kept.
        conflicting: Indexes with other keys or options than declared that were kept.
        reasons: How each replaced or conflicting index differs.
    """

    created: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    conflicting: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict[str, str])

    def __bool__(self) -> bool:
        return any((self.created, self.dropped, self.replaced, self.extra, self.conflicting))


class Conflict(NamedTuple):
    """A declared index, the existing one that conflicts with it, and how they differ."""

    spec: IndexSpec
    existing: Mapping[str, Any]
    reason: str


class Comparison(NamedTuple):
    """Declared indexes that are missing or conflict with existing ones, and undeclared indexes."""

    missing: tuple[IndexSpec, ...]
    conflicting: tuple[Conflict, ...]
    extra: tuple[Mapping[str, Any], ...]


def index_specs(model: type, indexes: Iterable[Index]) -> tuple[IndexSpec, ...]:
    """Return the indexes of a model, with the stored names of its fields.

    Raises:
        UnknownFieldError: An index names a field that the model lacks.
        ConfigurationError: Two indexes have the same name.
    """
    resolver = model_resolver(model)
    specs: dict[str, IndexSpec] = {}
    for index in indexes:
        try:
            keys = tuple((_stored(resolver, name), direction) for name, direction in index.keys)
            options = dict(index.options)
            if weights := options.get("weights"):
                options["weights"] = {_stored(resolver, k): v for k, v in weights.items()}
        except UnknownFieldError as error:
            raise _in_index(error, model) from None
        name = str(options.pop("name", "_".join(f"{key}_{direction}" for key, direction in keys)))
        if name in specs:
            raise ConfigurationError(
                f"{model.__name__} declares two indexes named {name!r}",
                hint='give one of them another name: Index("email", name="by_email")',
            )
        specs[name] = IndexSpec(name, keys, options)
    return tuple(specs.values())


def _in_index(error: UnknownFieldError, model: type) -> UnknownFieldError:
    """Return the error for an unknown field, whose message now names the index of a model too."""
    message = f"an index of {model.__name__} names a field that does not exist: {error.message}"
    LoomError.__init__(error, message, hint=error.hint)
    return error


def _stored(resolver: ModelResolver, name: str) -> str:
    if name == _WILDCARD:
        return name
    if name.endswith(f".{_WILDCARD}"):
        return f"{resolver.resolve(name.removesuffix(f'.{_WILDCARD}')).path}.{_WILDCARD}"
    return resolver.resolve(name).path


def compare(declared: Sequence[IndexSpec], existing: Sequence[Mapping[str, Any]]) -> Comparison:
    """Return how the declared indexes differ from the reply of `listIndexes`."""
    unmatched = [index for index in existing if index["name"] != "_id_"]
    # The default collation of indexes is that of the collection, which the index on _id shows.
    collation = next((i.get("collation") for i in existing if i["name"] == "_id_"), None)
    absent = [spec for spec in declared if not _is_id_index(spec)]
    for spec in tuple(absent):
        equal = [index for index in unmatched if not _difference(spec, index, collation)]
        if equal:
            same_name = [index for index in equal if index["name"] == spec.name]
            unmatched.remove((same_name or equal)[0])
            absent.remove(spec)
    missing: list[IndexSpec] = []
    conflicting: list[Conflict] = []
    for spec in absent:
        index = _conflicting_index(spec, unmatched)
        if index is None:
            missing.append(spec)
        else:
            unmatched.remove(index)
            conflicting.append(Conflict(spec, index, _difference(spec, index, collation)))
    return Comparison(tuple(missing), tuple(conflicting), tuple(unmatched))


def _is_id_index(spec: IndexSpec) -> bool:
    """Say whether it is the unique index on `_id` that every collection has."""
    return spec.keys == (("_id", 1),) and set(spec.options) <= {"unique"}


def _conflicting_index(
    spec: IndexSpec, existing: Iterable[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """Return the index with the same name or keys; a collection has one text index at most."""
    candidates = sorted(existing, key=lambda index: bool(index["name"] != spec.name))
    is_text = any(direction == "text" for _, direction in spec.keys)
    for index in candidates:
        if index["name"] == spec.name or existing_keys(index) == comparable_keys(spec.keys):
            return index
    return next((index for index in candidates if is_text and "_fts" in index["key"]), None)


def _difference(spec: IndexSpec, index: Mapping[str, Any], collation: Any) -> str:
    declared = {"keys": comparable_keys(spec.keys)} | comparable_options(
        {"collation": collation, **spec.options}, spec.keys
    )
    existing = {"keys": existing_keys(index)} | comparable_options(index, existing_keys(index))
    return difference(declared, existing)
