"""Ids: from what a caller gives to what MongoDB stores."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from bson import ObjectId
from pydantic import TypeAdapter, ValidationError

from ..errors import InvalidDocument, InvalidId
from .annotations import model_codec
from .document import DocumentModel
from .model_codec import StoredField
from .scalars import Identifier


def parse_id(model: type[DocumentModel], value: Any) -> Any:
    """Return the stored form of an id.

    Parameters:
        model: Whose id it is.
        value: An id, or text that the id's type parses.

    Raises:
        InvalidId: The value can never be the id of such a document.
    """
    field = _id_field(model)
    if type(value) is ObjectId and isinstance(field.codec, Identifier):
        return value
    try:
        if value is None:
            raise ValueError("an id is never None")
        return field.codec.encode(_adapter(model).validate_python(value, strict=False))
    except (ValidationError, ValueError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise InvalidId(
            f"{value!r} can never be the id of a {model.__name__}: {reason}", value=value
        ) from error


def stored_id(document: DocumentModel) -> Any:
    """Return the id of a document as MongoDB stores it."""
    return _id_field(type(document)).codec.encode(document.id)


def loaded_id(model: type[DocumentModel], stored: Any) -> Any:
    """Return an id as objects of a model have it.

    Parameters:
        model: Whose id it is.
        stored: What MongoDB holds.

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


def id_filter(key: Any) -> dict[str, Any]:
    """Return the query for the document of an id.

    Parameters:
        key: The id as MongoDB stores it.
    """
    # A document would be read as operators. Without `$eq` the server takes its fastest plan.
    return {"_id": {"$eq": key} if isinstance(key, dict) else key}
