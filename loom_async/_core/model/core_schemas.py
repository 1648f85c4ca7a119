"""pydantic's core schemas: what validates the values of a model, as nested dicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from pydantic import BaseModel

from ..type_guards import is_dict, is_sequence


def core_schema_of(model: type[BaseModel]) -> Any:
    """Return the core schema of a model, which is completed if it refers to later classes."""
    if not is_dict(model.__pydantic_core_schema__):
        model.model_rebuild()
    return model.__pydantic_core_schema__


def nodes(model: type[BaseModel]) -> Iterator[dict[str, Any]]:
    """Yield each schema inside the core schema of a model, and that itself."""
    unvisited: list[Any] = [core_schema_of(model)]
    while unvisited:
        node = unvisited.pop()
        if is_dict(node):
            yield node
            # The metadata has JSON schemas, and serialisers validate nothing.
            unvisited.extend(v for k, v in node.items() if k not in ("metadata", "serialization"))
        elif is_sequence(node):
            unvisited.extend(cast("Any", node))


def reads_names(schemas: Iterable[dict[str, Any]]) -> bool:
    """Say whether stored values may be validated by the names of fields besides their aliases.

    They may not be if the name of a field is the alias of another one: where a document lacks the
    first field, pydantic would read the second one for both.

    Parameters:
        schemas: All schemas inside the core schema of a class.
    """
    return not any(map(_has_shadowed_name, schemas))


def _has_shadowed_name(schema: dict[str, Any]) -> bool:
    if schema.get("type") not in ("model-fields", "typed-dict", "dataclass-args"):
        return False
    fields: Any = schema["fields"]
    named = fields.items() if is_dict(fields) else [(field["name"], field) for field in fields]
    aliases = {name: _aliases(field.get("validation_alias")) for name, field in named}
    return any(
        name in others
        for name, own in aliases.items()
        if own and name not in own
        for other, others in aliases.items()
        if other != name
    )


def _aliases(alias: Any) -> set[Any]:
    """Return the names that a core schema reads for a field, besides the field's own."""
    if alias is None or isinstance(alias, str):
        return {alias} - {None}
    paths: list[list[Any]] = alias if is_sequence(alias[0]) else [alias]
    return {path[0] for path in paths if len(path) == 1}
