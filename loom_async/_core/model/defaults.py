"""The defaults of fields as they are stored, and the fields that have none."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from .bson_equality import MISSING
from .field_validators import column_validator
from .model_codec import StoredField


def is_required(model: type[BaseModel], field: StoredField) -> bool:
    """Say whether a document without a field cannot be loaded."""
    is_filled_in = field.on_insert is not None or field.on_write is not None
    return model.model_fields[field.name].is_required() and not is_filled_in


def encoded_default(model: type[BaseModel], field: StoredField) -> Any:
    """Return the default of a field as it is stored; `MISSING` if it has none of its own.

    A default that depends on other fields is `MISSING`: it is made when the document is loaded.

    Parameters:
        model: The model of the field.
        field: The field.

    Raises:
        EncodingError: The default cannot be stored.
    """
    info = model.model_fields[field.name]
    if info.is_required() or info.default_factory_takes_validated_data:
        return MISSING
    value = info.get_default(call_default_factory=True)
    if info.validate_default:
        (value,) = column_validator(model, field.name).validate_python([value])
    return field.codec.encode(value)
