"""`get_or_create`: the object of a natural key, inserted if there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from .._core.collections.natural_keys import key_filter, natural_key
from .._core.errors import DuplicateKey, QueryError
from .._core.model.codecs import model_codec
from .._core.model.document import DocumentModel
from .._core.model.field_validators import column_validator
from .._core.model.hydration import hydrator
from .._core.model.model_codec import StoredField
from .._core.model.polymorphism import scope_of
from .._core.query.model_resolver import model_resolver
from .._core.type_guards import is_mapping
from ..operations.target import Target, target_of
from . import hooks, one

D = TypeVar("D", bound=DocumentModel)

# The attempts while other writers insert and delete the document.
_MAX_ATTEMPTS = 10


async def get_or_create(
    model: type[D], key: Mapping[str, Any], defaults: Mapping[str, Any]
) -> tuple[D, bool]:
    """Return the object of a key, and whether it is new; see `KeyedModel.get_or_create`."""
    fields = _checked(model, key, defaults)
    condition = _encoded(model, fields, key)
    target = await target_of(model)
    found = await _find(target, model, condition)
    if found is None:
        new = _built(model, {**defaults, **key})
        codec = model_codec(type(new))
        encoded = codec.encode(new)
        # A validator of the whole model may have changed the values of the key.
        stored = {field.stored_name: encoded[field.stored_name] for field in fields}
        stored |= codec.thin(stored)
        found = await _find(target, model, stored) if stored != condition else None
        if found is None:
            found = await _insert(target, new, stored)
        if found is None:
            return new, True
    loaded: D = hydrator(model).one(found)
    await hooks.loaded((loaded,))
    return loaded, False


def _checked(
    model: type[DocumentModel], key: Mapping[str, Any], defaults: Mapping[str, Any]
) -> Sequence[StoredField]:
    """Return the fields of a key.

    Raises:
        UnknownFieldError: The model lacks a field of the key or of the defaults.
        QueryError: They have a field in common, or a value of the key is None.
        ConfigurationError: No index makes the key unique.
    """
    for given in (key, defaults):
        if not is_mapping(given):
            raise QueryError(
                f"get_or_create takes values by field, not {given!r}",
                hint='get_or_create({"email": email}, defaults={"name": name})',
            )
    fields = natural_key(model, key, "get_or_create")
    resolver, stored = model_resolver(model), [field.stored_name for field in fields]
    if len(fields) < len(key):
        raise QueryError(f"get_or_create has two values of one field: {', '.join(key)}")
    for name in defaults:
        if resolver.resolve(name).path in stored:
            raise QueryError(f"get_or_create has {name!r} as key and in defaults", hint="drop one")
    for name, value in key.items():
        if value is None:
            raise QueryError(
                f"get_or_create cannot find a document by {name}=None",
                hint="several documents may lack a value: use filter() and persist()",
            )
    return fields


def _encoded(
    model: type[DocumentModel], fields: Sequence[StoredField], key: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the values of a key as they are stored, by stored name."""
    encoded: dict[str, Any] = {}
    for field, (name, value) in zip(fields, key.items(), strict=True):
        try:
            (valid,) = column_validator(model, field.name).validate_python([value])
        except ValidationError as error:
            raise QueryError(
                f"{value!r} cannot be the {name} of a {model.__name__}: "
                f"{error.errors(include_url=False)[0]['msg']}",
            ) from error
        encoded[field.stored_name] = field.codec.encode(valid)
    return encoded | model_codec(model).thin(encoded)


def _built(model: type[D], values: Mapping[str, Any]) -> D:
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        reasons = [
            f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}"
            for detail in error.errors(include_url=False)
        ]
        raise QueryError(
            f"get_or_create cannot create a {model.__name__}: {'; '.join(reasons)}",
            hint='give the other fields by defaults={"name": …}',
        ) from error


async def _insert(
    target: Target, new: DocumentModel, key: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Insert an object; return the document of its key if another writer was faster."""
    for attempt in range(1, _MAX_ATTEMPTS + 1):
        try:
            await one.insert(new)
        except DuplicateKey as error:
            if target.session is not None:  # the error has ended the transaction
                raise
            found = await _find(target, type(new), key)
            if found is not None:
                return found
            if error.key.keys() != key.keys() or attempt == _MAX_ATTEMPTS:
                raise
        else:
            return None
    return None


async def _find(
    target: Target, model: type[DocumentModel], key: Mapping[str, Any]
) -> dict[str, Any] | None:
    query = {**key_filter(key), **scope_of(model)}
    async with target.call(f"get_or_create {model.__name__}", reads=True):
        return await target.primary.find_one(query, session=target.session)
