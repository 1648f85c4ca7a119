"""The fields of a blob's document, the size of its chunks, and the filters of its versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .document import DocumentModel

CHUNK_SIZE = 255 * 1024  # bytes: the default of GridFS

# The fields of a GridFS file that hold the id of the blob's document and the version's number.
DOCUMENT_PATH, NUMBER_PATH = "metadata.document", "metadata.version"


class BlobDocument(DocumentModel):
    """The fields of a document that describe its newest version."""

    length: int = 0
    version: int = 0
    content_type: str | None = None


@dataclass(frozen=True)
class BlobVersion:
    """One version of a blob: its number, its length in bytes, and when it was stored."""

    number: int
    length: int
    uploaded_at: datetime


NO_VERSION = BlobVersion(0, 0, datetime.min)


def version_of(file: Mapping[str, Any]) -> BlobVersion:
    """Return the version that the document of a GridFS file describes."""
    return BlobVersion(file["metadata"]["version"], int(file["length"]), file["uploadDate"])


def versions_filter(key: Any, number: int | None = None) -> dict[str, Any]:
    """Return the filter for the GridFS files of a blob's versions, or of one version.

    Parameters:
        key: The document's id as it is stored.
        number: The number of a version; None and negative numbers match all versions.
    """
    is_one = number is not None and number >= 0
    return {DOCUMENT_PATH: {"$eq": key}, NUMBER_PATH: number if is_one else {"$exists": True}}
