"""pydantic's adapters for parts of annotations."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, PydanticUserError, TypeAdapter

# The model that an annotation is of may allow them; whether it does is checked by pydantic there.
_CONFIG = ConfigDict(arbitrary_types_allowed=True)


def adapter_of(annotation: Any) -> TypeAdapter[Any]:
    """Return the adapter of an annotation, which accepts objects of classes unknown to pydantic."""
    try:
        return TypeAdapter(annotation, config=_CONFIG)
    except PydanticUserError as error:
        if error.code != "type-adapter-config-unused":  # a model or a record has its own
            raise
        return TypeAdapter(annotation)
