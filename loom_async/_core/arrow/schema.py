"""The Arrow schema of a model: every field by its stored name, nested models as structs."""

from __future__ import annotations

import datetime as dt
import inspect
import types
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as AbstractSequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NewType, Union, get_args, get_origin
from uuid import UUID

from bson import ObjectId
from pydantic import BaseModel, SecretBytes, SecretStr
from typing_extensions import TypeAliasType

from ..model.annotations import stored_name
from .arrow_types import OBJECT_ID_TYPE, TIMESTAMP, pa
from .inference import DECIMAL

# A type that only the data tells: Any, unions of unlike types, a model inside itself.
OPEN: Any = pa.null()
_MAX_PRECISION = 38


def schema_of(model: type[BaseModel]) -> Any:
    """Return the schema of a model's documents; None if they may hold more than its fields.

    Parameters:
        model: A pydantic model. Fields whose type only the data tells have the type null.
    """
    if model.model_config.get("extra") == "allow":
        return None
    return pa.schema(list(_struct(model, ())))


def _struct(model: type[BaseModel], outer: tuple[Any, ...]) -> Any:
    if model in outer:
        return OPEN
    root = model.model_fields.get("root") if model.__pydantic_root_model__ else None
    if root is not None:
        return _type_of(root.annotation, root.metadata, (*outer, model))
    if model.model_config.get("extra") == "allow" and outer:
        return OPEN
    return pa.struct(
        [
            (stored_name(name, info), _type_of(info.annotation, info.metadata, (*outer, model)))
            for name, info in model.model_fields.items()
        ]
    )


def _type_of(annotation: Any, metadata: Iterable[Any], outer: tuple[Any, ...]) -> Any:
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        return _type_of(inner, [*metadata, *more], outer)
    if isinstance(annotation, NewType):
        return _type_of(annotation.__supertype__, metadata, outer)
    if isinstance(annotation, TypeAliasType) or type(annotation).__name__ == "TypeAliasType":
        return _type_of(annotation.__value__, metadata, outer)
    if origin in (Union, types.UnionType):
        members = [m for m in get_args(annotation) if m is not types.NoneType]
        return _common(_type_of(member, metadata, outer) for member in members)
    if origin is Literal:
        return _common(_type_of(type(value), (), outer) for value in get_args(annotation))
    if origin is not None and not _is_model(annotation):
        return _container(origin, get_args(annotation), outer)
    if _is_model(annotation):
        return _struct(annotation, outer)
    return _scalar(annotation, metadata)


def _is_model(annotation: Any) -> bool:
    return inspect.isclass(annotation) and issubclass(annotation, BaseModel)


def _common(found: Iterable[Any]) -> Any:
    """Return the type that all share, `int | float` as a number; else it is left open."""
    distinct: list[Any] = []
    for type_ in found:
        if type_ not in distinct:
            distinct.append(type_)
    if len(distinct) == 1:
        return distinct[0]
    is_number = all(type_ in (pa.int64(), pa.float64()) for type_ in distinct)
    return pa.float64() if is_number and distinct else OPEN


def _container(origin: Any, arguments: tuple[Any, ...], outer: tuple[Any, ...]) -> Any:
    if not inspect.isclass(origin):
        return OPEN
    if issubclass(origin, Mapping):
        return pa.map_(pa.string(), _type_of(arguments[1], (), outer))
    if issubclass(origin, AbstractSequence | AbstractSet) or origin is Iterable:
        items = [_type_of(item, (), outer) for item in arguments if item is not Ellipsis]
        return pa.list_(_common(items))
    return OPEN


def _scalar(annotation: Any, metadata: Iterable[Any]) -> Any:
    if not inspect.isclass(annotation):
        return OPEN
    if issubclass(annotation, Enum):
        return _common(_scalar(type(member.value), ()) for member in annotation)
    if issubclass(annotation, Decimal):
        return _decimal(metadata)
    for kinds, type_ in _BY_CLASS:
        if issubclass(annotation, kinds):
            return type_
    return OPEN


def _decimal(metadata: Iterable[Any]) -> Any:
    digits = places = None
    for item in metadata:
        digits = getattr(item, "max_digits", None) or digits
        places = getattr(item, "decimal_places", None) if places is None else places
    if digits is None or digits > _MAX_PRECISION:
        return DECIMAL if places is None else pa.decimal128(_MAX_PRECISION, places)
    return DECIMAL if places is None else pa.decimal128(max(digits, places), places)


# Asked in this order: a bool is an int, a datetime is a date.
_BY_CLASS: tuple[tuple[Any, Any], ...] = (
    (bool, pa.bool_()),
    (int, pa.int64()),
    (float, pa.float64()),
    ((str, SecretStr, dt.time, dt.timedelta), pa.string()),
    ((bytes, bytearray, SecretBytes), pa.binary()),
    (UUID, pa.uuid()),
    (ObjectId, OBJECT_ID_TYPE),
    (dt.datetime, TIMESTAMP),
    (dt.date, pa.date32()),
)
