"""Fields whose value is the stored value itself: validation does not change it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel

# The core schemas of pydantic whose validation returns a value of the type unchanged.
_TYPES = {"int": int, "float": float, "bool": bool, "str": str, "datetime": datetime}
_CHANGING = {"strip_whitespace", "to_lower", "to_upper", "coerce_numbers_to_str"}


def plain_fields(model: type[BaseModel]) -> dict[str, type]:
    """Return the type of each such field by its name; a field that may be changed is left out.

    Parameters:
        model: A complete pydantic model.
    """
    schema: Any = model.__pydantic_core_schema__
    config = model.model_config
    is_changed = (
        schema["type"] != "model"  # a validator of the whole model wraps it
        or schema["schema"]["type"] != "model-fields"
        or schema.get("custom_init")
        or schema.get("post_init")
        or config.get("extra") == "allow"
        or any(key.startswith("str_") and value is True for key, value in config.items())
    )
    if is_changed:
        return {}
    fields = schema["schema"]["fields"].items()
    return {name: kind for name, field in fields if (kind := _type_of(field["schema"]))}


def _type_of(schema: Any) -> type | None:
    while schema["type"] in ("default", "nullable"):
        schema = schema["schema"]
    return None if _CHANGING & schema.keys() else _TYPES.get(schema["type"])
