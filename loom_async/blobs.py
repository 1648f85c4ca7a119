"""Bytes in GridFS that belong to documents: written as versions, read as streams."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from typing import Any

from gridfs.asynchronous import AsyncGridFSBucket, AsyncGridIn, AsyncGridOut
from gridfs.errors import FileExists, NoFile
from pymongo import ASCENDING, DESCENDING

from . import _seam, documents
from ._core.driver_errors import Translated
from ._core.errors import DocumentNotFound
from ._core.model.blob import (
    CHUNK,
    DOCUMENT,
    NUMBER,
    BlobDocument,
    BlobVersion,
    version_of,
    versions_filter,
)
from ._core.model.identity import stored_id
from ._core.model.values import CODEC_OPTIONS
from .clients import MongoCollection
from .database import collection_of
from .transactions import refuse_in_transaction


class _Storage:
    """The GridFS bucket of a model, and the collection of it that lists the versions."""

    def __init__(self, collection: MongoCollection) -> None:
        database = collection.database.with_options(codec_options=CODEC_OPTIONS)
        self.bucket = AsyncGridFSBucket(database, collection.name, chunk_size_bytes=CHUNK)
        self.files: MongoCollection = database[f"{collection.name}.files"]


async def write_from(document: BlobDocument, source: _seam.Source) -> BlobVersion:
    """Store a new version of a blob's bytes; see `BlobModel.write_from`."""
    storage = await _storage_of(document)
    action = f"write {_name(document)}"
    with Translated(action):
        await storage.files.create_index(
            [(DOCUMENT, ASCENDING), (NUMBER, ASCENDING)],
            unique=True,
            partialFilterExpression={NUMBER: {"$exists": True}},
        )
    stream = storage.bucket.open_upload_stream(str(document.id))
    try:
        async with aclosing(_seam.pieces(source, CHUNK)) as pieces:
            async for piece in pieces:
                with Translated(action):
                    # To its end: a chunk that arrives after all others were removed would stay.
                    await _seam.in_any_case(stream.write, piece)
        await _seam.in_any_case(_complete, document, storage, stream)
    except BaseException:
        if not stream.closed:
            await _seam.in_any_case(_give_up, stream, action)
        raise
    return version_of(stream._file)  # pyright: ignore[reportPrivateUsage]


async def _give_up(stream: AsyncGridIn, action: str) -> None:
    with Translated(f"{action}: give up"):
        await stream.abort()


async def _complete(document: BlobDocument, storage: _Storage, stream: AsyncGridIn) -> None:
    """Make a version that has all its chunks the newest one, and the document say so."""
    key = stored_id(document)
    action = f"write {_name(document)}"
    number = document.version
    while not stream.closed:
        newest = await _find(storage, versions_filter(key), action)
        number = max(number, newest.number if newest else 0) + 1
        with Translated(action):
            await stream.set("metadata", {"version": number, "document": key})
            try:
                await stream.close()
            except FileExists:
                continue  # another writer has just taken the number
    try:
        await _settle(document, storage)
    except BaseException:
        with Translated(f"{action}: give up"):
            await storage.bucket.delete(stream._id)  # pyright: ignore[reportPrivateUsage]
        raise


async def _settle(document: BlobDocument, storage: _Storage) -> None:
    """Store in the document which version is the newest, whoever writes others meanwhile."""
    stored: tuple[int, int] | None = None
    while True:
        newest = await _find(storage, versions_filter(stored_id(document)), "list versions")
        found = (newest.number, newest.length) if newest else (0, 0)
        if found == stored:
            return
        before = document.version, document.length
        document.version, document.length = found
        try:
            await documents.persist(document)
        except BaseException:
            document.version, document.length = before
            raise
        stored = found


@asynccontextmanager
async def open_read(document: BlobDocument, version: int | None) -> AsyncGenerator[AsyncGridOut]:
    """Open a version of a blob's bytes; see `BlobModel.open_read`."""
    storage = await _storage_of(document)
    file = await _file_of(document, storage, version)
    with Translated(f"read {_name(document)}"):
        stream = await storage.bucket.open_download_stream(file["_id"])
        try:
            yield stream
        finally:
            await stream.close()


async def versions(document: BlobDocument) -> list[BlobVersion]:
    """Return the versions of a blob, oldest first; see `BlobModel.versions`."""
    storage = await _storage_of(document)
    with Translated(f"list the versions of {_name(document)}"):
        found = storage.files.find(versions_filter(stored_id(document))).sort(NUMBER, ASCENDING)
        return [version_of(file) for file in await found.to_list()]


async def delete_version(document: BlobDocument, number: int) -> None:
    """Delete one version of a blob; see `BlobModel.delete_version`."""
    storage = await _storage_of(document)
    file = await _file_of(document, storage, number)
    await _seam.in_any_case(_remove, storage, [file], f"delete a version of {_name(document)}")
    if file["metadata"]["version"] >= document.version:
        await _settle(document, storage)


async def delete(document: BlobDocument) -> bool:
    """Delete a blob's document and all its bytes; see `BlobModel.delete`."""
    storage = await _storage_of(document)
    is_deleted = await documents.delete(document)
    action = f"delete the bytes of {_name(document)}"
    with Translated(action):
        files = await storage.files.find(versions_filter(stored_id(document))).to_list()
    await _seam.in_any_case(_remove, storage, files, action)
    return is_deleted


async def _remove(storage: _Storage, files: list[dict[str, Any]], action: str) -> None:
    with Translated(action):
        for file in files:
            try:
                await storage.bucket.delete(file["_id"])
            except NoFile:
                continue  # another one has deleted it meanwhile; its chunks are gone as well


async def _storage_of(document: BlobDocument) -> _Storage:
    refuse_in_transaction(
        f"the bytes of {_name(document)} cannot be used",
        hint="GridFS has no transactions: write the bytes before the block or after it",
    )
    return _Storage(await collection_of(type(document)))


async def _find(storage: _Storage, filter: dict[str, Any], action: str) -> BlobVersion | None:
    with Translated(action):
        file = await storage.files.find_one(filter, sort=[(NUMBER, DESCENDING)])
    return version_of(file) if file else None


async def _file_of(document: BlobDocument, storage: _Storage, number: int | None) -> dict[str, Any]:
    """Return the document of a version; a negative number counts from the newest.

    Raises:
        DocumentNotFound: There is no such version.
    """
    filter = versions_filter(stored_id(document), number)
    newer = -number - 1 if number is not None and number < 0 else 0
    with Translated(f"find a version of {_name(document)}"):
        file = await storage.files.find_one(filter, sort=[(NUMBER, DESCENDING)], skip=newer)
    if file is not None:
        return file
    raise DocumentNotFound(
        f"{_name(document)} has no {'bytes' if number is None else f'version {number}'}",
        id=document.id,
        hint="write_from() stores bytes; versions() lists what there is",
    )


def _name(document: BlobDocument) -> str:
    return f"{type(document).__name__} {document.id!r}"
