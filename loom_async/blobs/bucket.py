"""The GridFS bucket of a model: its indexes, uploads into it, and deletions of files."""

from __future__ import annotations

from typing import Any

from bson import Int64, ObjectId
from gridfs.asynchronous import AsyncGridFSBucket
from gridfs.errors import NoFile
from pymongo import IndexModel, ReadPreference

from .._core.bson_codec import CODEC_OPTIONS
from .._core.clock import now
from .._core.model.blob import CHUNK_SIZE, DOCUMENT_PATH, NUMBER_PATH
from ..connection.driver_types import MongoCollection


class Bucket:
    """A GridFS bucket that has the name of a model's collection.

    Reads go to the primary, whatever the read preference: a new version is numbered after the
    newest one, and a secondary may lag behind in one of the collections.

    Parameters:
        collection: The model's collection.
    """

    def __init__(self, collection: MongoCollection) -> None:
        database = collection.database.with_options(
            codec_options=CODEC_OPTIONS, read_preference=ReadPreference.PRIMARY
        )
        self.root: MongoCollection = database[collection.name]
        self.files: MongoCollection = database[f"{collection.name}.files"]
        self.chunks: MongoCollection = database[f"{collection.name}.chunks"]
        self.driver_bucket: AsyncGridFSBucket = AsyncGridFSBucket(database, collection.name)


async def ensure_indexes(bucket: Bucket) -> None:
    """Create the indexes that GridFS prescribes, and the unique index of version numbers."""
    has_number = {NUMBER_PATH: {"$exists": True}}
    by_version = IndexModel(
        [(DOCUMENT_PATH, 1), (NUMBER_PATH, 1)], unique=True, partialFilterExpression=has_number
    )
    by_name = IndexModel([("filename", 1), ("uploadDate", 1)])
    await bucket.files.create_indexes([by_version, by_name])
    await bucket.chunks.create_index([("files_id", 1), ("n", 1)], unique=True)


async def delete_files(bucket: Bucket, files: list[dict[str, Any]]) -> None:
    """Delete files with their chunks; files that no longer exist are skipped."""
    for file in files:
        try:
            await bucket.driver_bucket.delete(file["_id"])
        except NoFile:
            continue  # another caller has deleted it, with its chunks


class Upload:
    """A file that is being stored in a bucket: first its chunks, then its document.

    pymongo's own upload stream sends nothing before it holds 48 MB.

    Parameters:
        bucket: The bucket.
    """

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self.id: ObjectId = ObjectId()
        #: The bytes and chunks stored so far.
        self.length: int = 0
        self.chunk_count: int = 0
        #: The document of the file; empty until it is sent.
        self.file: dict[str, Any] = {}
        #: True once the blob's document has the version, or may have it after an unknown outcome.
        self.is_kept: bool = False


async def send_chunks(upload: Upload, chunks: list[bytes]) -> None:
    """Store the next chunks of a file."""
    documents = [
        {"files_id": upload.id, "n": n, "data": chunk}
        for n, chunk in enumerate(chunks, upload.chunk_count)
    ]
    await upload.bucket.chunks.insert_many(documents)
    upload.chunk_count += len(chunks)
    upload.length += sum(map(len, chunks))


async def complete_upload(upload: Upload, name: str, metadata: dict[str, Any]) -> None:
    """Store the document of a file, which makes the file visible to readers.

    Raises:
        DuplicateKeyError: The blob already has a version with this number.
    """
    upload.file = {
        "_id": upload.id,
        "length": Int64(upload.length),
        "chunkSize": CHUNK_SIZE,
        "uploadDate": now(),
        "filename": name,
        "metadata": metadata,
    }
    await upload.bucket.files.insert_one(upload.file)


async def remove_upload(upload: Upload) -> None:
    """Delete what has been stored of a file."""
    await upload.bucket.files.delete_one({"_id": upload.id})
    await upload.bucket.chunks.delete_many({"files_id": upload.id})
