"""The columns of a frame as fields of a model, each with its own validation."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from pydantic_core import SchemaValidator

from ..model.annotations import model_codec
from ..model.document import DocumentModel
from ..model.model_codec import StoredField
from .results import FrameError


def fields_by_column(model: type[DocumentModel], names: Sequence[str]) -> dict[str, StoredField]:
    """Return the model's field for each column of a frame, by its name or its stored name.

    Columns that are no fields are left out where the model allows them.

    Raises:
        FrameError: The model lacks a column, or two columns are of one field.
    """
    codec = model_codec(model)
    known = {f.name: f for f in codec.fields} | {f.stored_name: f for f in codec.fields}
    unknown = [name for name in names if name not in known]
    if unknown and model.model_config.get("extra") != "allow":
        raise _unknown(model, unknown, list(known))
    found: dict[str, StoredField] = {}
    for name in names:
        if name not in known:
            continue
        twin = next((other for other, f in found.items() if f is known[name]), None)
        if twin is not None:
            raise FrameError(
                f"the columns {twin} and {name} are both the field {known[name].name} of "
                f"{model.__name__}",
                columns=[twin, name],
                hint="drop one of them",
            )
        found[name] = known[name]
    return found


def _unknown(model: type, unknown: Sequence[str], known: Sequence[str]) -> FrameError:
    near = next(iter(difflib.get_close_matches(unknown[0], known, 1)), None)
    return FrameError(
        f"{model.__name__} has no field for the column{'s' if len(unknown) > 1 else ''} "
        f"{', '.join(unknown)}",
        columns=unknown,
        hint=f"rename it to {near}, or drop it" if near else "drop what is not to be stored",
    )


_validators: dict[tuple[type, str], SchemaValidator] = {}


def column_validator(model: type[DocumentModel], name: str) -> SchemaValidator:
    """Return what validates a list of values as the model validates one field.

    The field's constraints and validators and the model's configuration hold; validators of the
    whole model do not run, since there is none.
    """
    found = _validators.get((model, name))
    if found is None:
        found = _validators[model, name] = _column_validator(model, name)
    return found


def _column_validator(model: type[DocumentModel], name: str) -> SchemaValidator:
    schema: Any = model.__pydantic_core_schema__
    definitions: list[Any] = []
    config: Any = None
    while schema["type"] != "model-fields":
        if schema["type"] == "definitions":
            definitions += schema["definitions"]
        if schema["type"] == "definition-ref":
            reference = schema["schema_ref"]
            schema = next(made for made in definitions if made.get("ref") == reference)
            continue
        config = schema.get("config", config)
        schema = schema["schema"]
    items: Any = {"type": "list", "items_schema": schema["fields"][name]["schema"]}
    if definitions:
        items = {"type": "definitions", "schema": items, "definitions": definitions}
    return SchemaValidator(items, config)
