"""`declare_persist_db`: the declaration of a model's database, collection and indexes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ..errors import ConfigurationError
from .indexes import Index, with_inherited
from .polymorphism import Family, family_of

T = TypeVar("T")

_INVALID_IN_DATABASE = set('/\\. "$*<>:|?\0')


@dataclass(frozen=True)
class Declaration:
    """The arguments of `declare_persist_db` for a model, with the indexes of its base classes."""

    db_name: str
    collection_name: str
    remote_db: bool = False
    indexes: tuple[Index, ...] = ()
    family: Family | None = None
    model: type | None = None
    store_none: bool = True


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
    store_none: bool = True,
) -> Callable[[type[T]], type[T]]:
    """Declare the database and the collection of a model; no connection is opened.

    Parameters:
        db_name: The database.
        collection_name: The collection.
        remote_db: Use the server of `LOOM_REMOTE_URI` instead of `LOOM_URI`.
        version: Appended to the collection's name: 2 makes `users_v2`.
        test: Append `_test` to the collection's name.
        index: Indexes to create on first use, besides those of declared base classes. One with
            the keys or the name of an inherited index replaces it. Only `sync_indexes(drop=True)`
            drops indexes.
        discriminator: The field that stores the tag of each document's class, so that subclasses
            share the collection and each document is loaded as an object of its class. A subclass
            sets its tag by `class Dog(Animal, tag="dog")`; the default is its name.
        tag: The tag of the declared class; the default is its name.
        store_none: With False, fields that are None are left out of the stored documents, also
            in nested models and dataclasses; a missing field loads as None. This saves space, and
            lets a sparse or unique sparse index skip these documents. A field whose default is
            not None is stored as null: a document without it has the default.

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
        store_none=store_none,
    )

    def declare(model: type[T]) -> type[T]:
        inherited = family_of(model)
        if inherited is not None:
            inherited.remove(model)
        family = None if discriminator is None else Family(model, _check_field(discriminator))
        if family is not None:
            family.add(model, tag or model.__name__)
        indexes = with_inherited(model, declaration.indexes, discriminator)
        own = replace(declaration, family=family, indexes=indexes, model=model)
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
    """Return the declaration of a model; it has one of its own or belongs to a family.

    Raises:
        ConfigurationError: The model was not declared.
    """
    declaration: Declaration | None = getattr(model, "__loom_declaration__", None)
    if declaration is None:
        raise ConfigurationError(
            f"{model.__name__} has no collection",
            hint='decorate it: @lm.declare_persist_db("my_app", "my_collection")',
        )
    if declaration.model is not model and declaration.family is None:
        _check_is_parametrised(model, declaration)
    return declaration


def _check_is_parametrised(model: type, declaration: Declaration) -> None:
    """Raise an error unless the model is the declared generic class with type arguments."""
    origin = getattr(model, "__pydantic_generic_metadata__", {}).get("origin")
    if origin is not None and origin is declaration.model:
        return
    base = declaration.model.__name__ if declaration.model is not None else "its base class"
    raise ConfigurationError(
        f"{model.__name__} is a subclass of {base} and was not declared: in the collection of "
        f"{base}, its documents could not be told from the others",
        hint=f"give {model.__name__} a collection of its own: "
        f'@lm.declare_persist_db("{declaration.db_name}", "my_collection"); or let all subclasses '
        f'of {base} share its collection: declare {base} with discriminator="kind"',
    )


def declared_namespace(model: type) -> tuple[str, str, bool]:
    """Return the declared database and collection of a model, and whether they are remote.

    Raises:
        ConfigurationError: The model was not declared.
    """
    declaration = declaration_of(model)
    return declaration.db_name, declaration.collection_name, declaration.remote_db
