"""The stream that a version of a blob is read from."""

from __future__ import annotations

import io
from typing import Any

from gridfs.asynchronous import AsyncGridOut

from .._core.driver_errors import TranslatedErrors
from ..connection.driver_types import MongoCollection


def stream_of(collection: MongoCollection, file: dict[str, Any], action: str) -> AsyncGridOut:
    """Return a stream of a version's bytes.

    Parameters:
        collection: The collection that the bucket is named after.
        file: The document of the version.
        action: What is being done, for errors.
    """
    return _Stream(collection, file, action)


class _Stream(AsyncGridOut):
    """A stream of GridFS whose own errors are Loom's; what its reader raises stays as it is."""

    def __init__(self, collection: MongoCollection, file: dict[str, Any], action: str) -> None:
        self._translated = TranslatedErrors(action)
        super().__init__(collection, file_document=file)

    async def read(self, size: int = -1) -> bytes:
        """Return so many bytes; all that are left without a size."""
        with self._translated:
            return await super().read(size)

    async def readchunk(self) -> bytes:
        """Return what is left of the present chunk; empty at the end."""
        with self._translated:
            return await super().readchunk()

    async def readline(self, size: int = -1) -> bytes:
        """Return a line, or so many bytes of it; empty at the end."""
        with self._translated:
            return await super().readline(size)

    async def readlines(self, size: int = -1) -> list[bytes]:
        """Return the lines that are left; with a size, those that begin before it."""
        with self._translated:
            return await super().readlines(size)

    async def seek(self, pos: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position, and return it."""
        with self._translated:
            return await super().seek(pos, whence)

    async def close(self) -> None:
        """Let go what the server holds for the stream."""
        with self._translated:
            await super().close()
