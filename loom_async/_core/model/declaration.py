"""`declare_persist_db` and `Index`: the declaration of a model's database, collection, indexes."""

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
        sparse: Leave out documents without the field.
        expire_after: Seconds after which MongoDB deletes a document, from the time in the field.
        partial: A MongoDB filter; only documents that match are indexed.
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
            "partialFilterExpression": dict(partial) if partial is not None else None,
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
    name, direction = key
    if direction not in (1, -1, "text", "2dsphere", "2d", "hashed"):
        raise ConfigurationError(
            f"{direction!r} is not a direction of an index key ({name!r})",
            hint="use 1, -1, 'text', '2dsphere', '2d' or 'hashed'",
        )
    return name, direction


@dataclass(frozen=True)
class Declaration:
    """The arguments of `declare_persist_db` for a model."""

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
    """Declare the database and the collection of a model; no connection is opened.

    Parameters:
        db_name: The database.
        collection_name: The collection.
        remote_db: Use the server of `LOOM_REMOTE_URI` instead of `LOOM_URI`.
        version: Appended to the collection's name: 2 makes `users_v2`.
        test: Append `_test` to the collection's name.
        index: Indexes to create on first use. Only `sync_indexes(drop=True)` drops indexes.
        discriminator: The field that stores the tag of each document's class, so that subclasses
            share the collection and each document is loaded as an object of its class. A subclass
            sets its tag by `class Dog(Animal, tag="dog")`; the default is its name.
        tag: The tag of the declared class; the default is its name.

    Returns:
        A decorator that returns the same class.

    Raises:
        ConfigurationError: MongoDB does not accept a name, or the model has a field with the name
            of the discriminator.

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
        family = None if discriminator is None else Family(model, _check_field(discriminator))
        if family is not None:
            family.add(model, tag or model.__name__)
        of_base_class = getattr(model, "__loom_indexes__", ())
        indexes = dict.fromkeys((*declaration.indexes, *of_base_class))
        own = replace(declaration, family=family, indexes=tuple(indexes))
        model.__loom_declaration__ = own  # type: ignore[attr-defined]
        return model

    return declare


def _check_field(discriminator: str) -> str:
    if not discriminator or "." in discriminator or discriminator.startswith(("$", "_id")):
        raise ConfigurationError(
            f"{discriminator!r} cannot be a discriminator",
            hint="use a plain name, such as kind; it becomes a field of the documents",
        )
    return discriminator


def check_database_name(name: str) -> str:
    """Return the name of a database.

    Raises:
        ConfigurationError: MongoDB does not accept it.
    """
    invalid = set(name) & _INVALID_IN_DATABASE
    if not name or invalid or len(name.encode()) > 63:
        raise ConfigurationError(
            f"{name!r} cannot be the name of a database",
            hint=f"leave out {sorted(invalid)}" if invalid else "use 1 to 63 bytes",
        )
    return name


def _check_collection_name(name: str) -> str:
    invalid = not name or "$" in name or "\0" in name or name.startswith(("system.", "."))
    if invalid or name.endswith(".") or ".." in name:
        raise ConfigurationError(
            f"{name!r} cannot be the name of a collection",
            hint="leave out '$', NUL, empty parts between dots and the prefix 'system.'",
        )
    return name


def declaration_of(model: type) -> Declaration:
    """Return the declaration of a model.

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


def declared_namespace(model: type) -> tuple[str, str, bool]:
    """Return the declared database and collection of a model, and whether they are remote.

    Raises:
        ConfigurationError: The model was not declared.
    """
    declaration = declaration_of(model)
    return declaration.db_name, declaration.collection_name, declaration.remote_db
