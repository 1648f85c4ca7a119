"""pydantic's core schemas: what validates the values of a model, as nested dicts."""

from __future__ import annotations

from collections.abc import Iterator
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
