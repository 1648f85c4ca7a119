"""Where a model lives: its database, collection and indexes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, TypeVar

from ..errors import ConfigurationError
from .polymorphism import Family, family_of

Direction: TypeAlias = int | str
Key: TypeAlias = str | tuple[str, Direction]
T = TypeVar("T")

_INVALID_IN_DATABASE = set('/\\. "$*<>:|?\0')


@dataclass(frozen=True, init=False)
class Index:
    """An index over one or more fields of a model.

    Parameters:
        *keys: Field names, `"-name"` for descending, or `(name, direction)` where direction is
            1, -1, `"text"`, `"2dsphere"`, `"hashed"` or `"2d"`.
        unique: Refuse a second document with the same values.
        sparse: Leave out documents that lack the field.
        expire_after: Seconds after the time in the field at which a document is removed.
        partial: A raw MongoDB filter; only matching documents are indexed.
        name: The index's name; by default MongoDB's own, made of the keys.
        **options: Any further option of MongoDB's `createIndexes`, as it spells it.

    Raises:
        ConfigurationError: No key, or a direction that MongoDB does not have.

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
        chosen: dict[str, Any] = {
            "unique": unique or None,
            "sparse": sparse or None,
            "expireAfterSeconds": expire_after,
            "partialFilterExpression": dict(partial) if partial is not None else None,
            "name": name,
            **options,
        }
        object.__setattr__(self, "keys", tuple(map(_parse_key, keys)))
        object.__setattr__(self, "options", {k: v for k, v in chosen.items() if v is not None})


def _parse_key(key: Key) -> tuple[str, Direction]:
    if isinstance(key, str):
        return (key[1:], -1) if key.startswith("-") else (key, 1)
    name, direction = key
    if direction not in (1, -1, "text", "2dsphere", "2d", "hashed"):
        raise ConfigurationError(
            f"{direction!r} is no direction of an index key ({name!r})",
            hint="use 1, -1, 'text', '2dsphere', '2d' or 'hashed'",
        )
    return name, direction


@dataclass(frozen=True)
class Declaration:
    """What `declare_persist_db` said of a model."""

    db_name: str
    collection_name: str
    remote_db: bool = False
    indexes: tuple[Index, ...] = ()
    family: Family | None = None


def declare_persist_db(
    db_name: str,
    collection_name: str,
    *,
    remote_db: bool = False,
    version: int | None = None,
    test: bool = False,
    index: Sequence[Index] = (),
    discriminator: str | None = None,
    tag: str | None = None,
) -> Callable[[type[T]], type[T]]:
    """Say where the documents of a model live; nothing connects until the first operation.

    Parameters:
        db_name: The database.
        collection_name: The collection.
        remote_db: Use the server of `LOOM_REMOTE_URI` in place of `LOOM_URI`.
        version: Appended to the collection's name: 2 makes `users_v2`.
        test: Append `_test` to the collection's name.
        index: Indexes to make on first use; none is ever dropped unasked.
        discriminator: Have subclasses share the collection: each document has under this name the
            tag of its class, and is loaded as an object of that. A subclass chooses its tag by
            `class Dog(Animal, tag="dog")`; its name is the default.
        tag: The tag of the declared class itself; its name is the default.

    Returns:
        A decorator that gives back the same class.

    Raises:
        ConfigurationError: A name is not one that MongoDB accepts, or the model has a field of the
            discriminator's name.

    Example:
        >>> import loom_async as lm
        >>> @lm.declare_persist_db("my_app", "users", index=[lm.Index("email", unique=True)])
        ... class User(lm.Persistable):
        ...     email: lm.StrLower
    """
    suffix = ("" if version is None else f"_v{version}") + ("_test" if test else "")
    declaration = Declaration(
        check_database_name(db_name),
        _check_collection_name(collection_name) + suffix,
        remote_db,
        tuple(index),
    )

    def declare(model: type[T]) -> type[T]:
        inherited = family_of(model)
        if inherited is not None:
            inherited.remove(model)
        family = None if discriminator is None else Family(model, _check_name(discriminator))
        if family is not None:
            family.add(model, tag or model.__name__)
        inherent = getattr(model, "__loom_indexes__", ())
        indexes = dict.fromkeys((*declaration.indexes, *inherent))
        own = replace(declaration, family=family, indexes=tuple(indexes))
        model.__loom_declaration__ = own  # type: ignore[attr-defined]
        return model

    return declare


def _check_name(discriminator: str) -> str:
    if not discriminator or "." in discriminator or discriminator.startswith(("$", "_id")):
        raise ConfigurationError(
            f"{discriminator!r} cannot be a discriminator",
            hint="use a plain name, such as kind; documents have it as a key",
        )
    return discriminator


def check_database_name(name: str) -> str:
    """Return the name, or raise `ConfigurationError` if MongoDB would refuse it."""
    bad = set(name) & _INVALID_IN_DATABASE
    if not name or bad or len(name.encode()) > 63:
        raise ConfigurationError(
            f"{name!r} cannot be the name of a database",
            hint=f"leave out {sorted(bad)}" if bad else "use 1 to 63 bytes",
        )
    return name


def _check_collection_name(name: str) -> str:
    bad = not name or "$" in name or "\0" in name or name.startswith(("system.", "."))
    if bad or name.endswith(".") or ".." in name:
        raise ConfigurationError(
            f"{name!r} cannot be the name of a collection",
            hint="leave out '$', NUL, empty parts between dots and the prefix 'system.'",
        )
    return name


def declaration_of(model: type) -> Declaration:
    """Return what `declare_persist_db` said of a model.

    Raises:
        ConfigurationError: The model was not declared.
    """
    declaration: Declaration | None = getattr(model, "__loom_declaration__", None)
    if declaration is None:
        raise ConfigurationError(
            f"{model.__name__} has no collection",
            hint='decorate it: @lm.declare_persist_db("my_app", "my_collection")',
        )
    return declaration


def place_of(model: type) -> tuple[str, str, bool]:
    """Return the database and the collection of a model, and whether they are remote.

    Raises:
        ConfigurationError: The model was not declared.
    """
    declaration = declaration_of(model)
    return declaration.db_name, declaration.collection_name, declaration.remote_db
