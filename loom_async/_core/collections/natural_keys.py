"""Natural keys: fields whose values no two documents share, as a declared index is unique."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import ConfigurationError, QueryError, UnknownFieldError
from ..model.codecs import model_codec
from ..model.declaration import declaration_of
from ..model.document import DocumentModel
from ..model.model_codec import StoredField
from ..type_guards import is_mapping
from .index_comparison import IndexSpec, index_specs

# Every value of a key meets a condition with these operators, as it is not None.
_MET = frozenset({"$exists", "$type"})


def natural_key(
    model: type[DocumentModel], names: Iterable[Any], action: str
) -> tuple[StoredField, ...]:
    """Return the fields of a natural key.

    Parameters:
        model: The model.
        names: The names of the fields, in Python or stored.
        action: The argument or the method that takes them, for errors.

    Raises:
        UnknownFieldError: The model has no such field.
        QueryError: There is no name.
        ConfigurationError: No declared index makes the fields unique.
    """
    if isinstance(names, str | bytes) or not isinstance(names, Iterable):
        raise QueryError(f"{action} takes names of fields, not {names!r}", hint='["email"]')
    fields = tuple(dict.fromkeys(_field(model, name, action) for name in names))
    if not fields:
        raise QueryError(f"{action} needs a field, by which documents are found", hint='["email"]')
    _check_unique(model, fields, action)
    return fields


def _field(model: type[DocumentModel], name: Any, action: str) -> StoredField:
    codec = model_codec(model)
    field = codec.declared(name) if isinstance(name, str) else None
    if field is not None:
        return field
    if not isinstance(name, str) or "." in name:
        raise QueryError(
            f"{action} takes names of fields of {model.__name__}, not {name!r}",
            hint="a key consists of whole fields",
        )
    raise UnknownFieldError(name, where=model.__name__, known=codec.names())


def _check_unique(model: type[DocumentModel], fields: tuple[StoredField, ...], action: str) -> None:
    names = {field.stored_name for field in fields}
    if names == {"_id"}:
        return
    found: list[IndexSpec] = [
        spec
        for spec in index_specs(model, declaration_of(model).indexes)
        if spec.options.get("unique") and {name for name, _ in spec.keys} == names
    ]
    weaknesses = [_weakness(spec) for spec in found]
    if None in weaknesses:
        return
    why = weaknesses[0] if weaknesses else "no declared index makes them unique"
    given = ", ".join(field.name for field in fields)
    keys = ", ".join(f'"{field.name}"' for field in fields)
    raise ConfigurationError(
        f"{action} cannot find documents of {model.__name__} by {given}: {why}",
        hint=f"declare_persist_db(…, index=[lm.Index({keys}, unique=True)])",
    )


def _weakness(spec: IndexSpec) -> str | None:
    """Return why a unique index allows two documents with the same values; None if it does not."""
    if spec.options.get("collation") is not None:
        return f"the index {spec.name} has a collation, by which other values are the same too"
    names = {name for name, _ in spec.keys}
    partial: Mapping[str, Any] = spec.options.get("partialFilterExpression") or {}
    for name, condition in partial.items():
        if name not in names or not is_mapping(condition) or not condition.keys() <= _MET:
            return f"the index {spec.name} covers only some documents"
    return None


def key_filter(key: Mapping[str, Any]) -> dict[str, Any]:
    """Return the filter for the document of a natural key.

    Parameters:
        key: The encoded values of its fields, by stored name.
    """
    return {name: {"$eq": value} for name, value in key.items()}
