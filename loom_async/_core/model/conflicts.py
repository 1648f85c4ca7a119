"""`DocumentNotFound` and `StaleDocument`: documents that were deleted, or changed by others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import DocumentNotFound, StaleDocument
from .document import DocumentModel


def not_found(document: DocumentModel) -> DocumentNotFound:
    """Return the error for an object whose document does not exist."""
    return DocumentNotFound(
        f"{type(document).__name__} {document.id!r} is not in its collection",
        id=document.id,
        hint="it has been deleted; to store it again, persist a new object: "
        "Model(**document.model_dump())",
    )


def stale(
    model: type[DocumentModel], id: Any, condition: Mapping[str, Any], stored: Mapping[str, Any]
) -> StaleDocument:
    """Return the error for a document that has another revision than the one that was loaded."""
    ((name, loaded),) = condition.items()
    return StaleDocument(
        f"{model.__name__} {id!r} has revision {stored.get(name)!r}, "
        f"and was loaded with {loaded!r}: another writer has changed it",
        id=id,
        revision=stored.get(name),
        loaded=loaded,
        hint="reload() it, make the change again, and persist()",
    )
