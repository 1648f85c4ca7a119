"""Values that an update sets, validated as an assignment to the field would be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from ..errors import EncodingError, QueryError, too_deep
from ..model.codecs import FamilyCodec, model_codec
from ..model.field_validators import column_validator
from ..model.model_codec import ModelCodec, StoredField
from ..types.codec import Codec
from ..types.numpy_scalars import to_python


def value_checker(holder: Codec, key: str) -> Callable[[Any], Any] | None:
    """Return what validates and encodes the values of a field; None if it is no field of a model.

    Parameters:
        holder: The codec of the document that has the field.
        key: The name of the field, in Python or stored.
    """
    if isinstance(holder, FamilyCodec):
        holder = model_codec(holder.model)
    if not isinstance(holder, ModelCodec):
        return None
    model = holder.model
    field = next((f for f in holder.fields if key in (f.name, f.stored_name)), None)
    if field is None:
        return None

    def check(value: Any) -> Any:
        try:
            return field.codec.encode(_validated(model, field, to_python(value)))
        except EncodingError as error:
            raise error.below(field.name) from error
        except RecursionError:
            raise too_deep(field.name) from None

    return check


def _validated(model: type[Any], field: StoredField, value: Any) -> Any:
    # As for a literal in a condition, "18" is 18: also in a model with strict=True.
    validator = column_validator(model, field.name)
    try:
        return validator.validate_python([value], strict=False, by_alias=True, by_name=True)[0]
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        where = ".".join(map(str, (model.__name__, field.name, *detail["loc"][1:])))
        raise QueryError(
            f"{where} cannot be set to {detail['input']!r}: {detail['msg']}",
            hint="validate=False stores a value that the field does not accept",
        ) from error
