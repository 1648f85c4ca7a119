"""Fields for which a missing value and None are the same, so that None need not be stored."""

from __future__ import annotations

import dataclasses
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typing_extensions import is_typeddict

from ..types.adapters import adapter_of
from ..types.codec import Codec
from .field_validators import column_validator


def is_none_if_missing(model: type[BaseModel], name: str, codec: Codec) -> bool:
    """Say whether a model loads null as None, and None is the default of a field or it has none.

    With another default, a document that lacks the field has that default.

    Parameters:
        model: The model.
        name: The name of the field.
        codec: Its codec.
    """
    info = model.model_fields[name]
    if not _has_no_other_default(info):
        return False
    try:
        validator = column_validator(model, name)
        loaded = validator.validate_python(
            [codec.decode(None)], strict=False, by_alias=True, by_name=True
        )
    except Exception:  # a validator may raise anything
        return False
    return loaded[0] is None


def is_none_if_missing_in_record(kind: Any, name: str, annotation: Any, codec: Codec) -> bool:
    """Say the same of a field of a dataclass.

    A key of a `TypedDict` is part of the value, as that of a dict. Validators of a dataclass may
    change None.
    """
    decorators = getattr(kind, "__pydantic_decorators__", None)
    if is_typeddict(kind) or (decorators is not None and _validates(decorators)):
        return False
    field = next(field for field in dataclasses.fields(kind) if field.name == name)
    declared = getattr(kind, "__pydantic_fields__", {}).get(name, field.default)
    if isinstance(declared, FieldInfo):
        is_free = _has_no_other_default(declared)
    else:
        has_factory = field.default_factory is not dataclasses.MISSING
        is_free = not has_factory and (
            field.default is None or field.default is dataclasses.MISSING
        )
    try:
        return is_free and adapter_of(annotation).validate_python(codec.decode(None)) is None
    except Exception:  # a validator may raise anything
        return False


def _has_no_other_default(info: FieldInfo) -> bool:
    return info.default_factory is None and (info.is_required() or info.default is None)


def _validates(decorators: Any) -> bool:
    return any((decorators.validators, decorators.field_validators, decorators.root_validators))
