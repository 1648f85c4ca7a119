"""The `$jsonSchema` of a model: what its stored documents look like, for the server to check."""

from __future__ import annotations

import datetime as dt
import inspect
import ipaddress
import re
import types
from collections import deque
from collections.abc import Callable, Iterable, Mapping, MutableMapping, MutableSequence, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from enum import Enum, Flag
from pathlib import PurePath
from typing import Annotated, Any, Literal, NewType, TypeAlias, Union, get_args, get_origin
from uuid import UUID

from bson import Code, Decimal128, ObjectId, Regex, Timestamp
from bson.errors import InvalidDocument
from pydantic import (
    AnyUrl,
    BaseModel,
    GetPydanticSchema,
    PlainValidator,
    SecretBytes,
    SecretStr,
    SkipValidation,
)
from typing_extensions import TypeAliasType

from ..bson_codec import encode_bson
from ..errors import EncodingError
from ..model.annotations import is_record
from ..model.markers import CoalesceOnInsert, RefreshOnSet
from ..type_guards import is_list
from ..types.values import to_bson
from .schema_limits import limits, spread

Schema: TypeAlias = dict[str, Any]
# Gives the schema of a model that is met on the way.
Nested: TypeAlias = Callable[[type[BaseModel]], Schema]

_ARRAYS = (list, tuple, set, frozenset, deque, Sequence, MutableSequence, AbstractSet)
_OBJECTS = (dict, Mapping, MutableMapping)
_TEXTS = (
    AnyUrl,
    PurePath,
    dt.time,
    dt.timedelta,
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
    ipaddress.IPv4Interface,
    ipaddress.IPv6Interface,
)
_KNOWN = ("pydantic", "loom_async")
_REPLACING: Any = (PlainValidator, GetPydanticSchema, SkipValidation)
_NULL: Schema = {"bsonType": "null"}


def type_schema(annotation: Any, metadata: Iterable[Any], nested: Nested) -> Schema:
    """Return the schema of what is stored for an annotation; empty if that may be anything.

    Parameters:
        annotation: What stands behind a field's colon.
        metadata: The `Annotated` metadata that pydantic has already taken off it.
        nested: Gives the schema of a model.
    """
    metadata = tuple(metadata)
    if any(map(_may_be_anything, spread(metadata))):
        return {}
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        found = type_schema(inner, (*more, *metadata), nested)
        return or_null(found) if is_filled_in(more) else found
    if isinstance(annotation, NewType):
        return type_schema(annotation.__supertype__, metadata, nested)
    if isinstance(annotation, TypeAliasType) or type(annotation).__name__ == "TypeAliasType":
        return type_schema(annotation.__value__, metadata, nested)
    if origin in (Union, types.UnionType):
        return _union(get_args(annotation), metadata, nested)
    if origin is Literal:
        return one_of(get_args(annotation))
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return nested(annotation)
    if origin is not None:
        return _container(origin, get_args(annotation), metadata, nested)
    return _plain(annotation, metadata)


def is_filled_in(metadata: Iterable[Any]) -> bool:
    """Say whether a value may be None until the library fills it in; it does in fields alone."""
    return any(isinstance(item, CoalesceOnInsert | RefreshOnSet) for item in metadata)


def _may_be_anything(item: Any) -> bool:
    """Say whether an item of `Annotated` puts another validation in place of the type's."""
    if isinstance(item, _REPLACING):
        return True
    package = type(item).__module__.partition(".")[0]
    return package not in _KNOWN and hasattr(item, "__get_pydantic_core_schema__")


def or_null(schema: Schema) -> Schema:
    """Return a schema that lets null pass as well."""
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
    """Return the schema of a few values, and of nothing else."""
    distinct: dict[bytes, Any] = {}
    try:
        for value in values:
            stored = to_bson(value)
            distinct.setdefault(encode_bson({"": stored}), stored)
    except (EncodingError, OverflowError, InvalidDocument):
        return {}
    return {"enum": list(distinct.values())} if distinct else {}


def any_of(schemas: Iterable[Schema]) -> Schema:
    """Return a schema that lets pass what one of several lets pass."""
    distinct: list[Schema] = []
    for schema in schemas:
        if not schema:
            return {}
        distinct += [s for s in schema.get("anyOf", [schema]) if s not in distinct]
    return distinct[0] if len(distinct) == 1 else {"anyOf": distinct}


def _union(members: tuple[Any, ...], metadata: tuple[Any, ...], nested: Nested) -> Schema:
    present = [member for member in members if member is not types.NoneType]
    if len(present) == 1:
        found = type_schema(present[0], metadata, nested)
    else:
        found = any_of(type_schema(member, (), nested) for member in present)
    return or_null(found) if len(present) < len(members) else found


def _container(
    origin: Any, arguments: tuple[Any, ...], metadata: tuple[Any, ...], nested: Nested
) -> Schema:
    if origin in _OBJECTS:
        found: Schema = {"bsonType": "object", **limits("object", metadata)}
        if arguments[0] is not str:
            found.pop("minProperties", None)  # 1 and "1" become the same key
        values = type_schema(arguments[1], (), nested)
        return {**found, "additionalProperties": values} if values else found
    if origin in _ARRAYS:
        found = {"bsonType": "array", **limits("array", metadata)}
        items = any_of(type_schema(item, (), nested) for item in arguments if item is not Ellipsis)
        return {**found, "items": items} if items.get("anyOf") != [] and items else found
    if origin is re.Pattern:
        return {"bsonType": "regex"}
    return {"bsonType": "object"} if is_record(origin) else {}


def _plain(annotation: Any, metadata: tuple[Any, ...]) -> Schema:
    if annotation in (None, types.NoneType):
        return _NULL
    if not inspect.isclass(annotation):
        return {}
    if issubclass(annotation, Enum):
        return {} if issubclass(annotation, Flag) else one_of(annotation)
    for kinds, stored, limited_as in _BY_CLASS:
        if issubclass(annotation, kinds):
            found = limits(limited_as, metadata) if limited_as else {}
            return {"bsonType": stored, **found}
    if annotation.__module__.partition(".")[0] == "bson":
        return {}
    return {"bsonType": "object"} if is_record(annotation) else {}


# Asked in this order: a bool is an int, a datetime is a date, code of BSON is a str.
_BY_CLASS: tuple[tuple[Any, Any, str | None], ...] = (
    (Code, ["javascript", "javascriptWithScope"], None),
    (ObjectId, "objectId", None),
    (Decimal128, "decimal", None),
    (Timestamp, "timestamp", None),
    ((Regex, re.Pattern), "regex", None),
    (bool, "bool", None),
    (int, ["int", "long"], "int"),
    # A whole number in a field of floats is stored as it was given where nothing validated it.
    (float, ["double", "int", "long"], "float"),
    (str, "string", "string"),
    (SecretStr, "string", None),
    (_TEXTS, "string", None),
    ((bytes, bytearray, SecretBytes, UUID), "binData", None),
    ((dt.datetime, dt.date), "date", None),
    (Decimal, "decimal", "decimal"),
    ((set, frozenset, list, tuple, deque), "array", "array"),
    (dict, "object", None),
)
