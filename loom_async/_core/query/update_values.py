"""Values that an update sets, validated as an assignment to the field would be."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import SchemaValidator

from ..errors import EncodingError, QueryError, too_deep
from ..model.codecs import FamilyCodec, model_codec
from ..model.field_validators import column_validator
from ..model.model_codec import ModelCodec
from ..model.record_codec import RecordCodec
from ..types.adapters import adapter_of
from ..types.codec import Codec
from ..types.numpy_scalars import to_python
from ..types.type_arguments import annotation_key


def value_checker(holder: Codec, key: str) -> Callable[[Any], Any] | None:
    """Return what validates and encodes the values of a field; None if it is no declared field.

    Parameters:
        holder: The codec of the document that has the field.
        key: The name of the field, in Python or stored.
    """
    if isinstance(holder, FamilyCodec):
        holder = model_codec(holder.model)
    if isinstance(holder, ModelCodec):
        field = holder.declared(key)
        if field is None:
            return None
        validator = column_validator(holder.model, field.name)
        return _checker(holder.model, field.name, field.codec, validator)
    if isinstance(holder, RecordCodec):
        record_field = holder.declared(key)
        if record_field is None:
            return None
        name, _, _, annotation, codec = record_field
        return _checker(holder.kind, name, codec, _list_adapter(annotation))
    return None


_list_adapters: dict[Any, TypeAdapter[Any]] = {}


def _list_adapter(annotation: Any) -> TypeAdapter[Any]:
    key = annotation_key(annotation)
    found = _list_adapters.get(key)
    if found is None:
        found = _list_adapters[key] = adapter_of(types.GenericAlias(list, (annotation,)))
    return found


def _checker(
    kind: Any, name: str, codec: Codec, validator: SchemaValidator | TypeAdapter[Any]
) -> Callable[[Any], Any]:
    """Return what validates and encodes the values of a field.

    Parameters:
        kind: The class that has the field.
        name: The name of the field.
        codec: The codec of the field.
        validator: Validates a list of values of the field.
    """

    def check(value: Any) -> Any:
        try:
            return codec.encode(_validated(validator, (kind.__name__, name), to_python(value)))
        except EncodingError as error:
            raise error.below(name) from error
        except RecursionError:
            raise too_deep(name) from None

    return check


def _validated(
    validator: SchemaValidator | TypeAdapter[Any], field: tuple[str, str], value: Any
) -> Any:
    # As for a literal in a condition, "18" is 18: also in a model with strict=True.
    try:
        return validator.validate_python([value], strict=False, by_alias=True, by_name=True)[0]
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        where = ".".join(map(str, (*field, *detail["loc"][1:])))
        raise QueryError(
            f"{where} cannot be set to {detail['input']!r}: {detail['msg']}",
            hint="validate=False stores a value that the field does not accept",
        ) from error
