"""The Arrow schema of a model: every field by its stored name, nested models as structs."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

from pydantic import BaseModel

from ..model.codecs import stored_name
from ..types import forms
from ..types.shapes import shape_of
from ..types.stored_type import StoredType
from .arrow_types import TYPES_BY_NAME, pa
from .inference import DECIMAL

# The type of a column that is inferred from the data: of Any, of unions of unlike types, of a model
# inside itself.
OPEN: Any = pa.null()
_MAX_PRECISION = 38


def schema_of(model: type[BaseModel]) -> Any:
    """Return the schema of a model's documents; None if documents may have further fields.

    Parameters:
        model: A pydantic model. A field whose type is inferred from the data has the type null.
    """
    if model.model_config.get("extra") == "allow":
        return None
    return pa.schema(list(_struct(model, ())))


def _struct(model: type[BaseModel], outer: tuple[Any, ...]) -> Any:
    if model in outer:
        return OPEN
    root = model.model_fields.get("root") if model.__pydantic_root_model__ else None
    if root is not None:
        return _type_of(shape_of(root.annotation, root.metadata), (*outer, model))
    if model.model_config.get("extra") == "allow" and outer:
        return OPEN
    fields = [
        (stored_name(name, info), shape_of(info.annotation, info.metadata))
        for name, info in model.model_fields.items()
    ]
    return pa.struct([(name, _type_of(shape, (*outer, model))) for name, shape in fields])


def _type_of(shape: forms.Shape, outer: tuple[Any, ...]) -> Any:
    """Return the type of a shape.

    Parameters:
        shape: The shape.
        outer: The models that the shape is inside of.
    """
    match shape.form:
        case forms.Scalar(entry=entry) | forms.Encoded(entry=entry):
            return _scalar(entry, shape.metadata)
        case forms.Hidden(value=inner) | forms.Chosen(stored=inner):
            return _type_of(inner, outer)
        case forms.JsonText():
            return pa.string()
        case forms.Member(enum):
            return _common(_type_of_value(member.value) for member in enum)
        case forms.OneOf(values):
            return _common(map(_type_of_value, values))
        case forms.AnyOf(options):
            return _common(_type_of(option, outer) for option in options)
        case forms.Model(model):
            return _struct(model, outer)
        case forms.Items(items=items):
            return pa.list_(_common(_type_of(item, outer) for item in items)) if items else OPEN
        case forms.Entries(value=forms.Shape() as value):
            return pa.map_(pa.string(), _type_of(value, outer))
        case _:
            return OPEN


def _type_of_value(value: object) -> Any:
    """Return the type of a member of an Enum, or of a value of a `Literal`."""
    return _type_of(shape_of(type(value.value if isinstance(value, Enum) else value)), ())


def _scalar(entry: StoredType, metadata: Iterable[Any]) -> Any:
    if entry.arrow == "decimal128":
        return _decimal(metadata)
    return OPEN if entry.arrow is None else TYPES_BY_NAME[entry.arrow]


def _common(found: Iterable[Any]) -> Any:
    """Return the type that all share, a float for `int | float`; else it is inferred."""
    distinct: list[Any] = []
    for type_ in found:
        if type_ not in distinct:
            distinct.append(type_)
    if len(distinct) == 1:
        return distinct[0]
    is_number = all(type_ in (pa.int64(), pa.float64()) for type_ in distinct)
    return pa.float64() if is_number and distinct else OPEN


def _decimal(metadata: Iterable[Any]) -> Any:
    digits = places = None
    for item in metadata:
        digits = _smallest(digits, getattr(item, "max_digits", None))
        places = _smallest(places, getattr(item, "decimal_places", None))
    if digits is None or digits > _MAX_PRECISION:
        return DECIMAL if places is None else pa.decimal128(_MAX_PRECISION, places)
    return DECIMAL if places is None else pa.decimal128(max(digits, places), places)


def _smallest(first: int | None, second: int | None) -> int | None:
    return min((value for value in (first, second) if value is not None), default=None)
