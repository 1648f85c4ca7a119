# Generated from loom_async/blobs/stream.py by `nox -s sync`: edit that file.
"""The stream from which a version of a blob is read."""

from __future__ import annotations

import io
from typing import Any

from gridfs.synchronous import GridOut

from loom_async._core.driver_errors import TranslatedErrors

from ..connection.driver_types import MongoCollection


def stream_of(collection: MongoCollection, file: dict[str, Any], action: str) -> GridOut:
    """Return a stream of a version's bytes.

    Parameters:
        collection: The collection with the name of the bucket.
        file: The GridFS document of the version.
        action: What the caller does, for error messages.
    """
    return _Stream(collection, file, action)


class _Stream(GridOut):
    """A stream of GridFS that raises Loom's errors."""

    def __init__(self, collection: MongoCollection, file: dict[str, Any], action: str) -> None:
        self._translated = TranslatedErrors(action)
        super().__init__(collection, file_document=file)

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes; without a size, the rest."""
        with self._translated:
            return super().read(size)

    def readchunk(self) -> bytes:
        """Return the rest of the current chunk; empty at the end."""
        with self._translated:
            return super().readchunk()

    def readline(self, size: int = -1) -> bytes:
        """Return a line, or up to `size` bytes of it; empty at the end."""
        with self._translated:
            return super().readline(size)

    def readlines(self, size: int = -1) -> list[bytes]:
        """Return the remaining lines; with a size, those that begin within as many bytes."""
        with self._translated:
            return super().readlines(size)

    def seek(self, pos: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position, and return it."""
        with self._translated:
            return super().seek(pos, whence)

    def close(self) -> None:
        """Close the cursor that the stream reads from."""
        with self._translated:
            super().close()
