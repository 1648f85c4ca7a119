"""Parses and checks ids, encodes them for MongoDB, and returns their filters."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Annotated, Any
from uuid import UUID

from bson import DBRef, Decimal128, ObjectId, Regex
from pydantic import TypeAdapter, ValidationError

from ..bson_codec import UNENCODABLE, encode_bson
from ..errors import InvalidDocument, InvalidId
from ..type_guards import is_mapping, is_sequence
from ..types.scalars import ObjectIdCodec
from .codecs import model_codec
from .document import DocumentModel
from .foreign_values import python_value
from .model_codec import StoredField

# The types that a filter compares with directly.
_PLAIN = (ObjectId, str, int, UUID, bytes, float, dt.datetime, Decimal128)


def id_filter(key: Any) -> dict[str, Any]:
    """Return the filter for the document of an id.

    MongoDB may read a document in a filter as operators, so that it needs `$eq`. For other values
    the query plan without `$eq` is faster.

    Parameters:
        key: The id as it is stored.

    Example:
        >>> id_filter(7), id_filter({"$ne": None})
        ({'_id': 7}, {'_id': {'$eq': {'$ne': None}}})
    """
    return {"_id": key} if isinstance(key, _PLAIN) else {"_id": {"$eq": key}}


def checked_id(model: type[DocumentModel], key: Any) -> Any:
    """Return an encoded id if MongoDB can store it.

    Parameters:
        model: The model of the document.
        key: The id as it would be stored.

    Raises:
        InvalidId: It is an array, a regular expression, or has a key that begins with `$`.
    """
    if isinstance(key, _PLAIN):
        return key
    reason = _obstacle(key)
    if reason is not None:
        raise InvalidId(
            f"{key!r} can never be the id of a {model.__name__}: {reason}",
            value=key,
            hint="an id is a scalar, or a document whose keys do not begin with $",
        )
    return key


def _obstacle(key: Any) -> str | None:
    """Return why MongoDB refuses a value as an id; None if it accepts it."""
    if is_sequence(key):
        return "MongoDB stores no array as an id"
    if isinstance(key, re.Pattern | Regex):
        return "MongoDB stores no regular expression as an id"
    name = _refused_name(key)
    return None if name is None else f"MongoDB stores no id with the key {name!r} in it"


def _refused_name(value: Any) -> str | None:
    """Return a key inside an id that MongoDB refuses; None if it accepts all."""
    if isinstance(value, DBRef):
        value = value.as_doc()
    if is_mapping(value):
        allowed = _names_of_reference(value)
        for name in value:
            if str(name).startswith("$") and name not in allowed:
                return str(name)
        # MongoDB does not check the values of a reference.
        return _first_refused(item for name, item in value.items() if name not in allowed)
    return _first_refused(value) if is_sequence(value) else None


def _first_refused(values: Iterable[Any]) -> str | None:
    return next((name for name in map(_refused_name, values) if name is not None), None)


def _names_of_reference(document: Mapping[Any, Any]) -> Sequence[str]:
    """Return the keys that a reference to a document (DBRef) begins with; none for others."""
    names = tuple(document)[:3]
    if names[:2] != ("$ref", "$id") or not isinstance(document["$ref"], str):
        return ()
    has_database = names[2:] == ("$db",) and isinstance(document["$db"], str)
    return names if has_database else names[:2]


def parse_id(model: type[DocumentModel], value: Any) -> Any:
    """Return the stored form of an id.

    Parameters:
        model: The model of the document.
        value: An id, or text that the id's type parses.

    Raises:
        InvalidId: The value can never be the id of such a document.
    """
    field = _id_field(model)
    if type(value) is ObjectId and isinstance(field.codec, ObjectIdCodec):
        return value
    try:
        if value is None:
            raise ValueError("an id is never None")
        given = python_value(model, "id", value)
        key = field.codec.encode(_adapter(model).validate_python(given, strict=False))
        encode_bson({"_id": checked_id(model, key)})
        return key
    except InvalidId:
        raise
    except (ValidationError, ValueError, *UNENCODABLE) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise InvalidId(
            f"{value!r} can never be the id of a {model.__name__}: {reason}", value=value
        ) from error


def stored_id(document: DocumentModel) -> Any:
    """Return the id of a document as MongoDB stores it.

    Raises:
        InvalidId: MongoDB cannot store such an id.
    """
    model = type(document)
    return checked_id(model, _id_field(model).codec.encode(document.id))


def loaded_id(model: type[DocumentModel], stored: Any) -> Any:
    """Return a stored id in the type that objects of a model have.

    Parameters:
        model: The model of the document.
        stored: The id as MongoDB has it.

    Raises:
        InvalidDocument: The stored id does not fit the model.
    """
    try:
        decoded = _id_field(model).codec.decode(stored)
        return _adapter(model).validate_python(decoded, strict=False)
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"]
        raise InvalidDocument(
            f"the id {stored!r} does not fit {model.__name__}: {reason}",
            id=stored,
            fields={"id": reason},
            hint="the collection has documents of another kind",
        ) from error


@cache
def _id_field(model: type[DocumentModel]) -> StoredField:
    return next(field for field in model_codec(model).fields if field.stored_name == "_id")


@cache
def _adapter(model: type[DocumentModel]) -> TypeAdapter[Any]:
    info = model.model_fields["id"]
    annotation: Any = info.annotation
    for marker in info.metadata:
        annotation = Annotated[annotation, marker]
    return TypeAdapter(annotation)
