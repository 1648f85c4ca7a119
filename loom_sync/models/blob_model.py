# Generated from loom_async/models/blob_model.py by `nox -s sync`: edit that file.
"""Models whose documents have bytes of any length, in versions."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AbstractContextManager

from gridfs.asynchronous import AsyncGridOut
from gridfs.synchronous import GridOut

from loom_async._core.model.blob import BlobDocument, BlobVersion
from loom_async.blobs import versions as async_blob_versions

from .. import _concurrency
from ..blobs import versions as blob_versions
from .persistable import Persistable


class BlobModel(Persistable, BlobDocument):
    """A `Persistable` with bytes of any length, kept in versions in GridFS.

    The bucket has the name of the collection. `length` and `version` are the length in bytes and
    the number of the newest version; both are 0 before the first version. Deleting an object, or
    the results of a query, also deletes their bytes.

    Example:
        >>> import loom_sync as lm
        >>> @lm.declare_persist_db("my_app", "reports")
        ... class Report(lm.BlobModel):
        ...     title: str
        >>> def main() -> None:
        ...     report = Report(title="May", content_type="text/plain")
        ...     report.write_from(b"all is well")
        ...     with report.open_read() as stream:
        ...         print(stream.read())
    """

    def write_from(self, source: _concurrency.Source) -> BlobVersion:
        """Store bytes as a new version, then persist this object with its number and length.

        About 4 MB are in memory at a time. If the call fails or is cancelled, the version is
        removed. Concurrent writers each get a version of their own.

        Parameters:
            source: Bytes, a path, a binary file, or an iterable of bytes, synchronous or not.

        Returns:
            The version that was written.

        Raises:
            TypeError: The source has another type, or yields something other than bytes.
            DocumentNotFound: The object was loaded and its document has been deleted since.
            TransactionError: A transaction is in force; nothing was sent.

        Example:
            >>> from pathlib import Path
            >>> import loom_sync as lm
            >>> def store(report: lm.BlobModel) -> None:
            ...     version = report.write_from(Path("report.pdf"))
            ...     print(version.number, version.length)
        """
        return blob_versions.write_from(self, source)

    async def write_from_async(self, source: _concurrency.Source) -> BlobVersion:
        """Do as `write_from` does, without blocking the event loop."""
        return await async_blob_versions.write_from(self, source)

    def open_read(self, version: int | None = None) -> AbstractContextManager[GridOut]:
        """Open a version for reading: a stream with `read`, `readline`, `readchunk` and `seek`.

        Parameters:
            version: Its number; negative numbers count from the newest, which is -1. None is the
                newest.

        Raises:
            DocumentNotFound: There is no such version.
            TransactionError: A transaction is in force.

        Example:
            >>> import loom_sync as lm
            >>> def show(report: lm.BlobModel) -> None:
            ...     with report.open_read() as stream:
            ...         while chunk := stream.readchunk():
            ...             print(len(chunk))
        """
        return blob_versions.open_read(self, version)

    def open_read_async(
        self, version: int | None = None
    ) -> AbstractAsyncContextManager[AsyncGridOut]:
        """Open as `open_read` does, without blocking the event loop."""
        return async_blob_versions.open_read(self, version)

    def versions(self) -> list[BlobVersion]:
        """Return all versions, oldest first.

        Raises:
            TransactionError: A transaction is in force.
        """
        return blob_versions.versions(self)

    async def versions_async(self) -> list[BlobVersion]:
        """Do as `versions` does, without blocking the event loop."""
        return await async_blob_versions.versions(self)

    def delete_version(self, number: int) -> None:
        """Delete one version; this object's `version` is then the newest remaining one.

        Parameters:
            number: The number, as for `open_read`. The next version is numbered after the newest
                remaining one.

        Raises:
            DocumentNotFound: There is no such version.
            TransactionError: A transaction is in force; nothing was sent.
        """
        return blob_versions.delete_version(self, number)

    async def delete_version_async(self, number: int) -> None:
        """Do as `delete_version` does, without blocking the event loop."""
        return await async_blob_versions.delete_version(self, number)

    def delete(self) -> bool:
        """Delete this object's document and all versions of its bytes.

        Returns:
            True if there was a document to delete.

        Raises:
            TransactionError: A transaction is in force; nothing was sent.
        """
        return blob_versions.delete(self)

    async def delete_async(self) -> bool:
        """Do as `delete` does, without blocking the event loop."""
        return await async_blob_versions.delete(self)
