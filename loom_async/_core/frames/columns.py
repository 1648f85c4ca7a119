"""The columns of a frame as fields of a model: their names, validation and encoding."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import EncodingError
from ..model.codecs import model_codec
from ..model.document import DocumentModel
from ..model.model_codec import StoredField
from ..types.values import to_bson
from .results import FrameError, RowError


def fields_by_column(model: type[DocumentModel], names: Sequence[str]) -> dict[str, StoredField]:
    """Return the model's field of each column, which has the field's name or its stored name.

    A model of `extra="allow"` has no field for some columns: they are left out.

    Raises:
        FrameError: The model has no field for a column, or two columns for one field.
    """
    codec = model_codec(model)
    fields = {f.name: f for f in codec.fields} | {f.stored_name: f for f in codec.fields}
    unknown = [name for name in names if name not in fields]
    if unknown and model.model_config.get("extra") != "allow":
        raise _no_field(model, unknown, list(fields))
    by_column: dict[str, StoredField] = {}
    for name in names:
        if name not in fields:
            continue
        other = next((other for other, f in by_column.items() if f is fields[name]), None)
        if other is not None:
            raise FrameError(
                f"the columns {other} and {name} are both the field {fields[name].name} of "
                f"{model.__name__}",
                columns=[other, name],
                hint="drop one of them",
            )
        by_column[name] = fields[name]
    return by_column


def _no_field(model: type, unknown: Sequence[str], known: Sequence[str]) -> FrameError:
    near = next(iter(difflib.get_close_matches(unknown[0], known, 1)), None)
    return FrameError(
        f"{model.__name__} has no field for the column{'s' if len(unknown) > 1 else ''} "
        f"{', '.join(unknown)}",
        columns=unknown,
        hint=f"rename it to {near}, or drop it"
        if near
        else "drop columns that are not to be stored",
    )


def encode_column(
    name: str, field: StoredField | None, values: list[Any], start: int
) -> tuple[list[Any], list[RowError]]:
    """Return a column's values as they are stored, with None for those that cannot be encoded.

    Parameters:
        name: The column.
        field: Its field; None if the model has none for it.
        values: The values.
        start: The index of the first row in the frame.
    """
    if field is not None and field.codec.is_identity:
        return values, []
    encode: Callable[[Any], Any] = to_bson if field is None else field.codec.encode
    try:
        return [None if value is None else encode(value) for value in values], []
    except (TypeError, ValueError, AttributeError):
        encoded: list[Any] = []
        errors: list[RowError] = []
    for row, value in enumerate(values, start):
        try:
            encoded.append(None if value is None else encode(value))
        except (TypeError, ValueError, AttributeError) as error:
            encoded.append(None)
            reason = error.reason if isinstance(error, EncodingError) else str(error)
            errors.append(RowError(row, name, reason))
    return encoded, errors
