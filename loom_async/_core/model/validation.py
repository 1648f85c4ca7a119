"""Validates decoded documents as objects; `InvalidDocument` names the document and its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from ..errors import InvalidDocument
from ..types.codec import Codec
from ..types.custom import UndecodableValue
from .polymorphism import family_of
from .repeated_validation import stored_validators


def validate(model: type[Any], decoded: Any, document: Mapping[str, Any]) -> Any:
    """Return the object of a decoded document.

    Validation is lax even for strict models: BSON has fewer types than Python.

    Parameters:
        model: A pydantic model.
        decoded: The document as the model's codec decodes it.
        document: The stored document, for errors.

    Raises:
        InvalidDocument: The document does not fit the model.
    """
    found = stored_validators(model)
    try:
        return found.validate(decoded, strict=False, by_alias=True, by_name=found.by_name)
    except ValidationError as error:
        raise invalid(model, document, error.errors(include_url=False)) from error


def decode(codec: Codec, model: type[Any], document: Mapping[str, Any]) -> Any:
    """Return a document as a codec decodes it.

    Parameters:
        codec: The codec of the model.
        model: The model, for errors.
        document: The stored document.

    Raises:
        InvalidDocument: A `StoredAs.decode` refuses a value.
    """
    try:
        return codec.decode(document)
    except UndecodableValue as error:
        details = [{"loc": error.path, "msg": error.reason}]
        raise invalid(model, document, details) from error.__cause__


def class_of(model: type[Any], document: Mapping[str, Any]) -> type[Any]:
    """Return the class that a document's tag names.

    Parameters:
        model: The class that a query loads.
        document: The stored document.

    Raises:
        InvalidDocument: No class has this tag.
    """
    family = family_of(model)
    if family is None:
        return model
    tag = document.get(family.discriminator)
    if tag == family.tag(model):
        return model  # with its type arguments, if it is a generic class
    found = family.find(tag)
    if found is None:
        raise InvalidDocument(
            f"document {document.get('_id')!r} has the tag {tag!r}, which no subclass of "
            f"{family.root.__name__} has",
            id=document.get("_id"),
            fields={family.discriminator: f"unknown tag {tag!r}"},
            hint=f"the tags are {family.known()}; import the module that defines the class",
        )
    return found


def invalid(
    model: type[Any], document: Mapping[str, Any], details: Sequence[Mapping[str, Any]]
) -> InvalidDocument:
    """Return the error for a document that does not fit a model.

    Parameters:
        model: The model.
        document: The stored document.
        details: pydantic's errors.
    """
    fields = {".".join(map(str, one["loc"])): one["msg"] for one in details}
    reasons = "; ".join(f"{path}: {reason}" for path, reason in fields.items())
    return InvalidDocument(
        f"document {document.get('_id')!r} does not fit {model.__name__}: {reasons}",
        id=document.get("_id"),
        fields=fields,
        hint="mend the document, or give the model a default or a before-validator for it",
    )
