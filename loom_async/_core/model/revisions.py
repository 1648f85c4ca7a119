"""Documents that count their writes, so that no writer overwrites the changes of another."""

from __future__ import annotations

from typing import Any

from ..bson_codec import decode_bson
from ..errors import QueryError
from .codecs import model_codec
from .document import DocumentModel, baseline
from .polymorphism import family_of


def revision_of(model: type[DocumentModel]) -> str | None:
    """Return the stored name of a model's `Revision`; None if it has none."""
    field = model_codec(model).revision
    return None if field is None else field.stored_name


def revision_to_count(model: type[DocumentModel]) -> str | None:
    """Return the field that an update of a model's documents has to increment; None if none.

    Raises:
        QueryError: Some of the documents count their writes, and others do not.
    """
    own, family = revision_of(model), family_of(model)
    for kind in () if family is None else family.members(model):
        if revision_of(kind) != own:
            raise QueryError(
                f"{kind.__name__} counts its writes otherwise than {model.__name__}, so that one "
                "update cannot serve both",
                hint=f"update by {kind.__name__}.filter(), or give {model.__name__} the Revision",
            )
    return own


def revision_condition(document: DocumentModel) -> dict[str, Any]:
    """Return the condition that a document still has the revision of its object."""
    name, stored = revision_of(type(document)), baseline(document)
    return {} if name is None or stored is None else {name: decode_bson(stored).get(name)}
