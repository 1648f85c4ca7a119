"""Versions of the bytes that belong to a document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .document import DocumentModel

CHUNK = 255 * 1024  # what GridFS keeps in one document

DOCUMENT, NUMBER = "metadata.document", "metadata.version"


class BlobDocument(DocumentModel):
    """The fields that tell of the bytes beside a document."""

    length: int = 0
    version: int = 0
    content_type: str | None = None


@dataclass(frozen=True)
class BlobVersion:
    """One version of a blob: its number, its length in bytes, and when it was complete."""

    number: int
    length: int
    uploaded_at: datetime


NO_VERSION = BlobVersion(0, 0, datetime.min)


def version_of(file: Mapping[str, Any]) -> BlobVersion:
    """Return the version that a document of GridFS describes."""
    return BlobVersion(file["metadata"]["version"], int(file["length"]), file["uploadDate"])


def versions_filter(key: Any, number: int | None = None) -> dict[str, Any]:
    """Return the filter for the versions of a document, or for one of them.

    Parameters:
        key: The document's id as it is stored.
        number: The number of a version; None or a negative one means all.
    """
    is_one = number is not None and number >= 0
    return {DOCUMENT: {"$eq": key}, NUMBER: number if is_one else {"$exists": True}}
