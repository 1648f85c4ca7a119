"""The errors for documents that other writers have deleted, or changed against an edit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import DocumentNotFound, OperationFailed, StaleDocument
from ..server_codes import PATH_NOT_VIABLE
from .document import DocumentModel
from .edits import Path


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


def changed_type(path: Path, changed: Path, value: Any) -> OperationFailed:
    """Return the error for an edit in a value that another writer has replaced by another type.

    Parameters:
        path: The path of the edit.
        changed: The path of the value: the same, or a parent.
        value: What is stored there now.
    """
    return OperationFailed(
        f"{'.'.join(path)!r} cannot be changed: {'.'.join(changed)!r} is {value!r} by now",
        code=PATH_NOT_VIABLE,
        hint="another writer has changed it since this object was loaded: reload() the object and "
        "make the change again, or assign the whole field",
    )
