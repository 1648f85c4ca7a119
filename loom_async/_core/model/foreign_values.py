"""Values of numpy and pandas that are given for the fields of a model, as Python's.

pydantic takes them by way of a float, which rounds large integers, and takes NaT for a datetime.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from types import NoneType
from typing import Any
from uuid import UUID

from bson import ObjectId
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ..types.numpy_scalars import is_foreign, to_python

#: The classes of most values, none of which belongs to numpy or pandas.
COMMON = frozenset(
    {
        NoneType, bool, int, float, str, bytes, dt.datetime, dt.date, Decimal, UUID, ObjectId,
        list, dict, set, tuple,
    }
)  # fmt: skip


def python_values(model: type[BaseModel], data: dict[str, Any]) -> dict[str, Any]:
    """Return the values that an object is made of, those of numpy and pandas as Python's.

    Parameters:
        model: The class of the object.
        data: The values by the names or aliases of the fields.
    """
    return {name: python_value(model, name, value) for name, value in data.items()}


def python_value(model: type[BaseModel], name: str, value: Any) -> Any:
    """Return a value for a field as Python's, unless the field is annotated with its library."""
    kind: type[Any] = type(value)  # pyright: ignore[reportUnknownVariableType]
    if kind in COMMON or not is_foreign(kind):
        return value
    info = _field(model.model_fields, name)
    return value if info is not None and _names_library(info) else to_python(value)


def _field(fields: Mapping[str, FieldInfo], name: str) -> FieldInfo | None:
    if name in fields:
        return fields[name]
    aliased = (i for i in fields.values() if name in (i.alias, i.validation_alias))
    return next(aliased, None)


def _names_library(info: FieldInfo) -> bool:
    text = f"{info.annotation!r} {info.metadata!r}"
    return "numpy" in text or "pandas" in text
