"""Bytes in GridFS that belong to documents: written as versions, read as streams."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import Any

from bson import Int64, ObjectId
from gridfs.asynchronous import AsyncGridFSBucket, AsyncGridOut
from gridfs.errors import NoFile
from pymongo import ASCENDING, DESCENDING, IndexModel, ReadPreference
from pymongo.errors import DuplicateKeyError

from .. import _concurrency
from .._core.bson_codec import CODEC_OPTIONS
from .._core.clock import now
from .._core.errors import ConnectionFailed, DocumentNotFound, OperationTimeout, OutcomeUnknown
from .._core.model.blob import (
    CHUNK,
    DOCUMENT,
    NO_VERSION,
    NUMBER,
    BlobDocument,
    BlobVersion,
    version_of,
    versions_filter,
)
from .._core.model.document import has_unknown
from .._core.model.identity import stored_id
from .._core.traced_call import TracedCall
from .._core.transactions.transaction_state import refuse_in_transaction
from ..collections.find import collection_of
from ..connection.driver_types import MongoCollection
from ..documents import one
from .stream import stream_of

_CHUNKS_AT_ONCE = 16  # four megabytes
_BLOBS_AT_ONCE = 1_000
_UNKNOWN = (ConnectionFailed, OperationTimeout, OutcomeUnknown)


class _Storage:
    """The GridFS bucket of a model, and its two collections.

    Whatever reads prefer, they go to the primary: a version is numbered after the newest one, and
    its chunks are in three collections that a secondary may have at different states.
    """

    def __init__(self, collection: MongoCollection) -> None:
        database = collection.database.with_options(
            codec_options=CODEC_OPTIONS, read_preference=ReadPreference.PRIMARY
        )
        self.bucket = AsyncGridFSBucket(database, collection.name)
        self.root: MongoCollection = database[collection.name]
        self.files: MongoCollection = database[f"{collection.name}.files"]
        self.chunks: MongoCollection = database[f"{collection.name}.chunks"]

    async def ensure_indexes(self) -> None:
        """Make the indexes that GridFS prescribes, and the one that keeps versions apart."""
        number = {NUMBER: {"$exists": True}}
        by_version = IndexModel(
            [(DOCUMENT, 1), (NUMBER, 1)], unique=True, partialFilterExpression=number
        )
        by_name = IndexModel([("filename", 1), ("uploadDate", 1)])
        await self.files.create_indexes([by_version, by_name])
        await self.chunks.create_index([("files_id", 1), ("n", 1)], unique=True)


class _Upload:
    """Bytes on their way into a bucket, in the form of the GridFS specification.

    pymongo's own stream sends nothing before it holds 48 MB.
    """

    def __init__(self, storage: _Storage) -> None:
        self.id = ObjectId()
        self.length = 0
        self._count = 0
        self._storage = storage
        self.file: dict[str, Any] = {}
        #: True once the document names it, or may do so when the outcome of a write is known.
        self.is_kept = False

    async def send(self, pieces: list[bytes]) -> None:
        """Store pieces, each of them as a chunk."""
        chunks = [
            {"files_id": self.id, "n": n, "data": piece}
            for n, piece in enumerate(pieces, self._count)
        ]
        await self._storage.chunks.insert_many(chunks)
        self._count += len(pieces)
        self.length += sum(map(len, pieces))

    async def complete(self, name: str, metadata: dict[str, Any]) -> None:
        """Make what was stored a file that can be seen."""
        self.file = {
            "_id": self.id,
            "length": Int64(self.length),
            "chunkSize": CHUNK,
            "uploadDate": now(),
            "filename": name,
            "metadata": metadata,
        }
        await self._storage.files.insert_one(self.file)

    async def undo(self, document: BlobDocument) -> None:
        """Remove what was stored."""
        with _doing("give up the new bytes of", document):
            await self._storage.files.delete_one({"_id": self.id})
            await self._storage.chunks.delete_many({"files_id": self.id})


async def write_from(document: BlobDocument, source: _concurrency.Source) -> BlobVersion:
    """Store a new version of a blob's bytes; see `BlobModel.write_from`."""
    storage = await _storage_of(document)
    with _doing("write", document):
        await storage.ensure_indexes()
    upload = _Upload(storage)
    try:
        async with aclosing(_concurrency.read_chunks(source, CHUNK)) as pieces:
            waiting: list[bytes] = []
            async for piece in pieces:
                waiting.append(piece)
                if len(waiting) == _CHUNKS_AT_ONCE:
                    await _send(document, upload, waiting)
                    waiting = []
            if waiting:
                await _send(document, upload, waiting)
        await _concurrency.shielded(_complete, document, storage, upload)
    except BaseException:
        if not upload.is_kept:
            await _concurrency.shielded(upload.undo, document)
        raise
    return version_of(upload.file)


async def _send(document: BlobDocument, upload: _Upload, pieces: list[bytes]) -> None:
    with _doing("write", document):
        # To its end: a chunk that arrives after all others were removed would stay.
        await _concurrency.shielded(upload.send, pieces)


async def _complete(document: BlobDocument, storage: _Storage, upload: _Upload) -> None:
    """Make a version that has all its chunks the newest one, and the document say so."""
    key = stored_id(document)
    number = document.version
    is_taken = True
    while is_taken:
        newest = await _newest(document, storage)
        number = max(number, newest.number) + 1
        with _doing("write", document):
            try:
                await upload.complete(str(document.id), {"version": number, "document": key})
                is_taken = False
            except DuplicateKeyError:
                is_taken = True  # by another writer, just now
    try:
        await _settle(document, storage)
    except _UNKNOWN:
        upload.is_kept = has_unknown(document)
        raise
    upload.is_kept = True


async def _settle(document: BlobDocument, storage: _Storage) -> None:
    """Store in the document which version is the newest, whoever writes others meanwhile."""
    stored: BlobVersion | None = None
    while (newest := await _newest(document, storage)) != stored:
        before = document.version, document.length
        document.version, document.length = newest.number, newest.length
        try:
            await one.persist(document)
        except _UNKNOWN:
            if not has_unknown(document):
                document.version, document.length = before
            raise
        except BaseException:
            document.version, document.length = before
            raise
        stored = newest


async def _newest(document: BlobDocument, storage: _Storage) -> BlobVersion:
    with _doing("find the newest version of", document):
        found = versions_filter(stored_id(document))
        file = await storage.files.find_one(found, sort=[(NUMBER, DESCENDING)])
    return version_of(file) if file else NO_VERSION


@asynccontextmanager
async def open_read(document: BlobDocument, version: int | None) -> AsyncGenerator[AsyncGridOut]:
    """Open a version of a blob's bytes; see `BlobModel.open_read`."""
    storage = await _storage_of(document)
    file = await _file_of(document, storage, version)
    stream = stream_of(storage.root, file, f"read {_name(document)}")
    try:
        yield stream
    finally:
        await stream.close()


async def versions(document: BlobDocument) -> list[BlobVersion]:
    """Return the versions of a blob, oldest first; see `BlobModel.versions`."""
    storage = await _storage_of(document)
    with _doing("list the versions of", document):
        found = storage.files.find(versions_filter(stored_id(document))).sort(NUMBER, ASCENDING)
        return [version_of(file) for file in await found.to_list()]


async def delete_version(document: BlobDocument, number: int) -> None:
    """Delete one version of a blob; see `BlobModel.delete_version`."""
    storage = await _storage_of(document)
    file = await _file_of(document, storage, number)
    await _concurrency.shielded(_remove_version, document, storage, file)


async def _remove_version(document: BlobDocument, storage: _Storage, file: dict[str, Any]) -> None:
    await _remove(storage, [file], partial(_doing, "delete a version of", document))
    if file["metadata"]["version"] >= document.version:
        await _settle(document, storage)


async def delete(document: BlobDocument) -> bool:
    """Delete a blob's document and all its bytes; see `BlobModel.delete`."""
    storage = await _storage_of(document)
    is_deleted = await one.delete(document)
    doing = partial(_doing, "delete the bytes of", document)
    with doing():
        files = await storage.files.find(versions_filter(stored_id(document))).to_list()
    await _concurrency.shielded(_remove, storage, files, doing)
    return is_deleted


async def delete_matching(model: type[BlobDocument], condition: dict[str, Any]) -> int:
    """Delete the blobs that meet a condition, with all their bytes, and return their number."""
    doing = partial(TracedCall, f"delete {model.__name__}")
    _refuse_in_transaction(model.__name__)
    collection = (await collection_of(model)).with_options(read_preference=ReadPreference.PRIMARY)
    storage, deleted = _Storage(collection), 0
    with doing():
        while keys := await _keys(collection.find(condition, {"_id": 1}, limit=_BLOBS_AT_ONCE)):
            chosen = {"_id": {"$in": keys}}
            # The condition once more: what another writer has changed meanwhile may not meet it.
            result = await collection.delete_many({"$and": [condition, chosen]})
            deleted += result.deleted_count
            there = await _keys(collection.find(chosen, {"_id": 1}))
            gone = [key for key in keys if key not in there]
            files = await storage.files.find({DOCUMENT: {"$in": gone}}, {"_id": 1}).to_list()
            await _concurrency.shielded(_remove, storage, files, doing)
    return deleted


async def _keys(found: Any) -> list[Any]:
    return [row["_id"] for row in await found.to_list()]


async def _remove(
    storage: _Storage, files: list[dict[str, Any]], doing: Callable[[], TracedCall]
) -> None:
    with doing():
        for file in files:
            try:
                await storage.bucket.delete(file["_id"])
            except NoFile:
                continue  # another one has deleted it meanwhile; its chunks are gone as well


async def _storage_of(document: BlobDocument) -> _Storage:
    _refuse_in_transaction(_name(document))
    return _Storage(await collection_of(type(document)))


def _refuse_in_transaction(name: str) -> None:
    refuse_in_transaction(
        f"the bytes of {name} cannot be used",
        hint="GridFS has no transactions: write the bytes before the block or after it",
    )


async def _file_of(document: BlobDocument, storage: _Storage, number: int | None) -> dict[str, Any]:
    """Return the document of a version; a negative number counts from the newest.

    Raises:
        DocumentNotFound: There is no such version.
    """
    filter = versions_filter(stored_id(document), number)
    newer = -number - 1 if number is not None and number < 0 else 0
    with _doing("find a version of", document):
        file = await storage.files.find_one(filter, sort=[(NUMBER, DESCENDING)], skip=newer)
    if file is not None:
        return file
    raise DocumentNotFound(
        f"{_name(document)} has no {'bytes' if number is None else f'version {number}'}",
        id=document.id,
        hint="write_from() stores bytes; versions() lists what there is",
    )


def _doing(what: str, document: BlobDocument) -> TracedCall:
    return TracedCall(f"{what} {_name(document)}", f"{what} {type(document).__name__}")


def _name(document: BlobDocument) -> str:
    return f"{type(document).__name__} {document.id!r}"
