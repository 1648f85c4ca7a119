"""Versions of a blob in GridFS: write, read, list and delete them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import Any

from gridfs.asynchronous import AsyncGridOut
from pymongo import ASCENDING, DESCENDING, ReadPreference
from pymongo.errors import DuplicateKeyError

from .. import _concurrency
from .._core.errors import (
    ConnectionFailed,
    DocumentNotFound,
    OperationTimeout,
    OutcomeUnknown,
    QueryError,
)
from .._core.model.blob import (
    CHUNK_SIZE,
    DOCUMENT_PATH,
    NO_VERSION,
    NUMBER_PATH,
    BlobDocument,
    BlobVersion,
    version_of,
    versions_filter,
)
from .._core.model.document import has_unknown
from .._core.model.identity import stored_id
from .._core.query.options import QueryOptions
from .._core.traced_call import TracedCall
from .._core.transactions.transaction_state import refuse_in_transaction
from ..collections.find import collection_of
from ..documents import one
from ..operations import matching_writes
from ..operations.target import Target
from .bucket import (
    Bucket,
    Upload,
    complete_upload,
    delete_files,
    ensure_indexes,
    remove_upload,
    send_chunks,
)
from .stream import stream_of

_CHUNKS_AT_ONCE = 16  # four megabytes
_BLOBS_AT_ONCE = 1_000
_UNKNOWN = (ConnectionFailed, OperationTimeout, OutcomeUnknown)


async def write_from(document: BlobDocument, source: _concurrency.Source) -> BlobVersion:
    """Store a new version of a blob's bytes; see `BlobModel.write_from`."""
    bucket = await _bucket_of(document)
    with _traced("write", document):
        await ensure_indexes(bucket)
    upload = Upload(bucket)
    try:
        async with aclosing(_concurrency.read_chunks(source, CHUNK_SIZE)) as chunks:
            unsent: list[bytes] = []
            async for chunk in chunks:
                unsent.append(chunk)
                if len(unsent) == _CHUNKS_AT_ONCE:
                    await _send(document, upload, unsent)
                    unsent = []
            if unsent:
                await _send(document, upload, unsent)
        await _concurrency.shielded(_complete, document, bucket, upload)
    except BaseException:
        if not upload.is_kept:
            await _concurrency.shielded(_remove_upload, document, upload)
        raise
    return version_of(upload.file)


async def _send(document: BlobDocument, upload: Upload, chunks: list[bytes]) -> None:
    with _traced("write", document):
        # Shielded: a chunk that arrives after the others were removed would stay.
        await _concurrency.shielded(send_chunks, upload, chunks)


async def _complete(document: BlobDocument, bucket: Bucket, upload: Upload) -> None:
    """Make an upload that has all its chunks the newest version, and update the document."""
    key = stored_id(document)
    number = document.version
    is_taken = True
    while is_taken:
        newest = await _newest(document, bucket)
        number = max(number, newest.number) + 1
        metadata = {"version": number, "document": key}
        with _traced("write", document):
            try:
                await complete_upload(upload, str(document.id), metadata)
                is_taken = False
            except DuplicateKeyError:
                is_taken = True  # by a concurrent writer
    try:
        await _update_document(document, bucket)
    except _UNKNOWN:
        upload.is_kept = has_unknown(document)
        raise
    upload.is_kept = True


async def _remove_upload(document: BlobDocument, upload: Upload) -> None:
    with _traced("give up the new bytes of", document):
        await remove_upload(upload)


async def _update_document(document: BlobDocument, bucket: Bucket) -> None:
    """Persist the number and length of the newest version; repeat until no writer adds another."""
    persisted: BlobVersion | None = None
    while (newest := await _newest(document, bucket)) != persisted:
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
        persisted = newest


async def _newest(document: BlobDocument, bucket: Bucket) -> BlobVersion:
    with _traced("find the newest version of", document):
        filter = versions_filter(stored_id(document))
        file = await bucket.files.find_one(filter, sort=[(NUMBER_PATH, DESCENDING)])
    return version_of(file) if file else NO_VERSION


@asynccontextmanager
async def open_read(document: BlobDocument, version: int | None) -> AsyncGenerator[AsyncGridOut]:
    """Open a version of a blob's bytes; see `BlobModel.open_read`."""
    bucket = await _bucket_of(document)
    file = await _file_of(document, bucket, version)
    stream = stream_of(bucket.root, file, f"read {_name(document)}")
    try:
        yield stream
    finally:
        await stream.close()


async def versions(document: BlobDocument) -> list[BlobVersion]:
    """Return the versions of a blob, oldest first; see `BlobModel.versions`."""
    bucket = await _bucket_of(document)
    with _traced("list the versions of", document):
        cursor = bucket.files.find(versions_filter(stored_id(document)))
        return [version_of(file) for file in await cursor.sort(NUMBER_PATH, ASCENDING).to_list()]


async def delete_version(document: BlobDocument, number: int) -> None:
    """Delete one version of a blob; see `BlobModel.delete_version`."""
    bucket = await _bucket_of(document)
    file = await _file_of(document, bucket, number)
    await _concurrency.shielded(_delete_version, document, bucket, file)


async def _delete_version(document: BlobDocument, bucket: Bucket, file: dict[str, Any]) -> None:
    await _delete_files(bucket, [file], partial(_traced, "delete a version of", document))
    if file["metadata"]["version"] >= document.version:
        await _update_document(document, bucket)


async def delete(document: BlobDocument) -> bool:
    """Delete a blob's document and all its bytes; see `BlobModel.delete`."""
    bucket = await _bucket_of(document)
    is_deleted = await one.delete(document)
    traced = partial(_traced, "delete the bytes of", document)
    with traced():
        files = await bucket.files.find(versions_filter(stored_id(document))).to_list()
    await _concurrency.shielded(_delete_files, bucket, files, traced)
    return is_deleted


async def delete_matching(
    model: type[BlobDocument], condition: dict[str, Any], options: QueryOptions
) -> int:
    """Delete the blobs that match a filter, with all their bytes, and return their number.

    Parameters:
        model: The model.
        condition: The filter.
        options: The options of the query; a time limit applies to each command.

    Raises:
        QueryError: The query has a collation.
    """
    traced = partial(TracedCall, f"delete {model.__name__}")
    refuse_bytes_in_transaction(model.__name__)
    if options.collation is not None:  # ids would be compared by it too
        raise QueryError(
            f"delete() of {model.__name__}, which has bytes, takes no collation",
            hint='load the ids first, then filter(fld["id"].is_in(ids)).delete()',
        )
    collection = (await collection_of(model)).with_options(read_preference=ReadPreference.PRIMARY)
    bucket, deleted = Bucket(collection), 0
    with traced():
        while keys := await _keys(
            collection.find(condition, {"_id": 1}, limit=_BLOBS_AT_ONCE, **options.find_arguments())
        ):
            found = {"_id": {"$in": keys}}
            # With the condition: a document that another writer has changed may not match any more.
            both = {"$and": [condition, found]}
            deleted += await matching_writes.delete_matching(
                Target(collection), both, options._replace(hint=None), f"delete {model.__name__}"
            )
            remaining = await _keys(collection.find(found, {"_id": 1}))
            gone = [key for key in keys if key not in remaining]
            files = await bucket.files.find({DOCUMENT_PATH: {"$in": gone}}, {"_id": 1}).to_list()
            await _concurrency.shielded(_delete_files, bucket, files, traced)
    return deleted


async def delete_bytes(model: type[BlobDocument], key: Any) -> None:
    """Delete the bytes of a blob whose document has been deleted; `key` is its stored id."""
    traced = partial(TracedCall, f"delete {model.__name__}")
    bucket = Bucket(await collection_of(model))
    with traced():
        files = await bucket.files.find(versions_filter(key), {"_id": 1}).to_list()
    await _concurrency.shielded(_delete_files, bucket, files, traced)


async def _keys(cursor: Any) -> list[Any]:
    return [document["_id"] for document in await cursor.to_list()]


async def _delete_files(
    bucket: Bucket, files: list[dict[str, Any]], traced: Callable[[], TracedCall]
) -> None:
    with traced():
        await delete_files(bucket, files)


async def _bucket_of(document: BlobDocument) -> Bucket:
    refuse_bytes_in_transaction(_name(document))
    return Bucket(await collection_of(type(document)))


def refuse_bytes_in_transaction(name: str) -> None:
    """Raise an error if a transaction is in force; `name` is the model or the blob."""
    refuse_in_transaction(
        f"the bytes of {name} cannot be used",
        hint="GridFS has no transactions: use the bytes before or after the transaction() block",
    )


async def _file_of(document: BlobDocument, bucket: Bucket, number: int | None) -> dict[str, Any]:
    """Return the GridFS document of a version; a negative number counts from the newest.

    Raises:
        DocumentNotFound: There is no such version.
    """
    filter = versions_filter(stored_id(document), number)
    newer_count = -number - 1 if number is not None and number < 0 else 0
    with _traced("find a version of", document):
        file = await bucket.files.find_one(
            filter, sort=[(NUMBER_PATH, DESCENDING)], skip=newer_count
        )
    if file is not None:
        return file
    raise DocumentNotFound(
        f"{_name(document)} has no {'bytes' if number is None else f'version {number}'}",
        id=document.id,
        hint="write_from() stores bytes; versions() lists the versions",
    )


def _traced(action: str, document: BlobDocument) -> TracedCall:
    return TracedCall(f"{action} {_name(document)}", f"{action} {type(document).__name__}")


def _name(document: BlobDocument) -> str:
    return f"{type(document).__name__} {document.id!r}"
