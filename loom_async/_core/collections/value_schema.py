"""The `$jsonSchema` of an annotation: what the server checks of the stored values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Flag
from typing import Any, TypeAlias

from bson.errors import InvalidDocument
from pydantic import BaseModel, GetPydanticSchema, PlainValidator, SkipValidation

from ..bson_codec import encode_bson
from ..errors import EncodingError
from ..model.markers import CoalesceOnInsert, RefreshOnSet
from ..type_guards import is_list
from ..types import forms
from ..types.registry import is_named_tuple
from ..types.stored_type import StoredType
from ..types.values import to_bson
from .schema_limits import limits, spread

Schema: TypeAlias = dict[str, Any]
#: Returns the schema of a nested model.
Nested: TypeAlias = Callable[[type[BaseModel]], Schema]

_KNOWN = ("pydantic", "loom_async")
_REPLACING: Any = (PlainValidator, GetPydanticSchema, SkipValidation)
_NULL: Schema = {"bsonType": "null"}


def type_schema(shape: forms.Shape, nested: Nested) -> Schema:
    """Return the schema of the stored values of a shape; empty if they may be anything.

    Parameters:
        shape: The shape of an annotation.
        nested: Returns the schema of a nested model.
    """
    if any(map(_may_be_anything, spread(shape.metadata))):
        return {}
    found = _required(shape, nested)
    return or_null(found) if shape.is_optional or is_filled_in(shape.metadata) else found


def _required(shape: forms.Shape, nested: Nested) -> Schema:
    """Return the schema of the values besides None."""
    match shape.form:
        case forms.Scalar(entry=entry):
            return _scalar(entry, shape.metadata)
        case forms.Member(enum):
            return {} if issubclass(enum, Flag) else one_of(enum)
        case forms.OneOf(values):
            return one_of(values)
        case forms.AnyOf(options):
            return any_of(type_schema(option, nested) for option in options)
        case forms.Model(model):
            return nested(model)
        case forms.Hidden(value=inner) | forms.Chosen(stored=inner):
            return type_schema(inner, nested)
        case forms.Encoded(entry=entry):
            return _scalar(entry, ())
        case forms.JsonText():
            return {"bsonType": "string"}
        case _:
            return _container(shape, nested)


def _container(shape: forms.Shape, nested: Nested) -> Schema:
    """Return the schema of arrays and documents; empty for a shape of any values."""
    match shape.form:
        case forms.Items(items=items):
            return _array(items, shape.metadata, nested)
        case forms.Entries(value=forms.Shape() as value):
            return _object(value, shape.metadata, nested)
        case forms.Record(kind):
            return {"bsonType": "array" if is_named_tuple(kind) else "object"}
        case forms.Entries():
            return {"bsonType": "object"}
        case _:
            return {}


def _scalar(entry: StoredType, metadata: tuple[Any, ...]) -> Schema:
    accepted = entry.bson if entry.schema is None else entry.schema
    kinds = accepted[0] if len(accepted) == 1 else list(accepted)
    return {"bsonType": kinds, **(limits(entry.limits, metadata) if entry.limits else {})}


def _array(items: tuple[forms.Shape, ...], metadata: tuple[Any, ...], nested: Nested) -> Schema:
    found: Schema = {"bsonType": "array", **limits("array", metadata)}
    item = any_of(type_schema(item, nested) for item in items) if items else {}
    return {**found, "items": item} if item else found


def _object(value: forms.Shape, metadata: tuple[Any, ...], nested: Nested) -> Schema:
    found: Schema = {"bsonType": "object", **limits("object", metadata)}
    values = type_schema(value, nested)
    return {**found, "additionalProperties": values} if values else found


def is_filled_in(metadata: Iterable[Any]) -> bool:
    """Say whether a marker fills in the value; it does so in fields alone."""
    return any(isinstance(item, CoalesceOnInsert | RefreshOnSet) for item in metadata)


def _may_be_anything(item: Any) -> bool:
    """Say whether an item of `Annotated` replaces the validation of the type."""
    if isinstance(item, _REPLACING):
        return True
    package = type(item).__module__.partition(".")[0]
    return package not in _KNOWN and hasattr(item, "__get_pydantic_core_schema__")


def or_null(schema: Schema) -> Schema:
    """Return a schema that also accepts null."""
    if not schema:
        return schema
    if "enum" in schema:
        return schema if None in schema["enum"] else {**schema, "enum": [*schema["enum"], None]}
    if "anyOf" in schema:
        return schema if _NULL in schema["anyOf"] else {"anyOf": [*schema["anyOf"], _NULL]}
    kinds = schema["bsonType"]
    listed: list[str] = [*kinds] if is_list(kinds) else [kinds]
    return schema if "null" in listed else {**schema, "bsonType": [*listed, "null"]}


def one_of(values: Iterable[Any]) -> Schema:
    """Return the schema that accepts the given values only; empty if one cannot be stored."""
    distinct: dict[bytes, Any] = {}
    try:
        for value in values:
            stored = to_bson(value)
            distinct.setdefault(encode_bson({"": stored}), stored)
    except (EncodingError, OverflowError, InvalidDocument):
        return {}
    return {"enum": list(distinct.values())} if distinct else {}


def any_of(schemas: Iterable[Schema]) -> Schema:
    """Return the schema that accepts what any of the given schemas accepts."""
    distinct: list[Schema] = []
    for schema in schemas:
        if not schema:
            return {}
        distinct += [s for s in schema.get("anyOf", [schema]) if s not in distinct]
    return distinct[0] if len(distinct) == 1 else {"anyOf": distinct}
