"""`Index`: a declared index; and the indexes that a model inherits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..errors import ConfigurationError
from ..types.values import to_bson

Direction: TypeAlias = int | str
Key: TypeAlias = str | tuple[str, Direction]


@dataclass(frozen=True, init=False)
class Index:
    """An index over one or more fields of a model.

    Parameters:
        *keys: Field names, `"-name"` for descending, or `(name, direction)` where direction is
            1, -1, `"text"`, `"2dsphere"`, `"hashed"` or `"2d"`.
        unique: Refuse a second document with the same values.
        sparse: Leave out documents without the field.
        expire_after: Seconds after which MongoDB deletes a document, from the time in the field.
        partial: A MongoDB filter with stored field names; only documents that match are indexed.
        name: The name of the index; by default it consists of the keys, as in MongoDB.
        **options: Further options of `createIndexes`, by MongoDB's names.

    Raises:
        ConfigurationError: There is no key, or MongoDB has no such direction.

    Example:
        >>> Index("email", unique=True).keys
        (('email', 1),)
        >>> Index("city", "-age").keys
        (('city', 1), ('age', -1))
    """

    keys: tuple[tuple[str, Direction], ...]
    options: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)

    def __init__(
        self,
        *keys: Key,
        unique: bool = False,
        sparse: bool = False,
        expire_after: float | None = None,
        partial: Mapping[str, Any] | None = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        if not keys:
            raise ConfigurationError("an index needs at least one field", hint='Index("email")')
        all_options: dict[str, Any] = {
            "unique": unique or None,
            "sparse": sparse or None,
            "expireAfterSeconds": expire_after,
            "partialFilterExpression": to_bson(partial) if partial is not None else None,
            "name": name,
            **options,
        }
        object.__setattr__(self, "keys", tuple(map(_parse_key, keys)))
        object.__setattr__(self, "options", _without_none(all_options))


def _without_none(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _parse_key(key: Key) -> tuple[str, Direction]:
    if isinstance(key, str):
        return (key[1:], -1) if key.startswith("-") else (key, 1)
    if not isinstance(key, tuple) or len(key) != 2 or not isinstance(key[0], str):
        raise ConfigurationError(
            f"{key!r} is not a key of an index", hint='Index("email"), Index(("bio", "text"))'
        )
    name, direction = key
    if direction not in (1, -1, "text", "2dsphere", "2d", "hashed"):
        raise ConfigurationError(
            f"{direction!r} is not a direction of an index key ({name!r})",
            hint="use 1, -1, 'text', '2dsphere', '2d' or 'hashed'",
        )
    return name, direction


def with_inherited(
    model: type[Any], own: Sequence[Index], discriminator: str | None
) -> tuple[Index, ...]:
    """Return the indexes of a model: its own, then those of its base classes.

    An index replaces the inherited ones that have its keys or its name, and a text index those of
    text, as MongoDB allows one for each collection.

    Parameters:
        model: The model.
        own: The indexes in its declaration.
        discriminator: The discriminator in its declaration.
    """
    indexes = [*dict.fromkeys(own)]
    for inherited in _inherited(model, discriminator):
        if not any(_replaces(index, inherited) for index in indexes):
            indexes.append(inherited)
    return tuple(indexes)


def _inherited(model: type[Any], discriminator: str | None) -> Iterator[Index]:
    yield from getattr(model, "__loom_indexes__", ())
    for base in model.__mro__[1:]:
        declaration = base.__dict__.get("__loom_declaration__")
        if declaration is None:
            continue
        tag = None if declaration.family is None else declaration.family.discriminator
        for index in declaration.indexes:
            # The documents of the model have no tag, so an index by tag and name is one by name.
            keys = tuple(key for key in index.keys if key[0] != tag or tag == discriminator)
            if keys:
                yield index if keys == index.keys else Index(*keys, **index.options)


def _replaces(index: Index, inherited: Index) -> bool:
    return (
        index.keys == inherited.keys
        or _name(index) == _name(inherited)
        or (_is_text(index) and _is_text(inherited))
    )


def _name(index: Index) -> str:
    default = "_".join(f"{name}_{direction}" for name, direction in index.keys)
    return str(index.options.get("name", default))


def _is_text(index: Index) -> bool:
    return any(direction == "text" for _, direction in index.keys)
