# Generated from loom_async/frames/batches.py by `nox -s sync`: edit that file.
"""Query results as raw batches of 10,000 documents, without a Python object for any of them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from functools import partial
from typing import Any

from bson.codec_options import CodecOptions
from bson.int64 import Int64
from bson.raw_bson import RawBSONDocument
from pymongo import ReadPreference

from loom_async._core.bson_codec import CODEC_OPTIONS
from loom_async._core.cursor_replies import parse_cursor_reply
from loom_async._core.query.query_spec import QuerySpec

from .. import _concurrency
from ..connection.driver_types import Client, MongoCollection
from ..operations.query_session import QuerySession, end, run
from ..operations.raw_cursors import cursor_batches
from ..operations.target import Target

#: The documents of a batch. With documents of 300 bytes, decoding it holds the GIL for 10 to 20 ms.
BATCH_SIZE = 10_000
_RAW: CodecOptions[Any] = CODEC_OPTIONS.with_options(document_class=RawBSONDocument)
# The topologies in which all commands to the primary go to one server, which has the cursors.
_ONE_SERVER = {"Single", "ReplicaSetWithPrimary"}


def raw_batches(
    target: Target, spec: QuerySpec, *, action: str = "load batches"
) -> Generator[bytes, None, None]:
    """Yield the results of a query as raw batches.

    Outside of a transaction, reads of a primary are commands whose replies stay bytes; other reads
    use the driver's cursors, which are slower.

    Parameters:
        target: The collection and session of the query.
        spec: The query.
        action: As for `Target.call`.
    """
    if spec.limit == 0:
        return
    if target.session is None and _reads_one_server(target.collection):
        source = _by_commands(target.collection, spec)
    else:
        size = spec.options.batch_size or BATCH_SIZE
        source = cursor_batches(target, spec, size, action)
    with closing(source) as batches:
        yield from batches


def _reads_one_server(collection: MongoCollection) -> bool:
    if collection.read_preference != ReadPreference.PRIMARY:
        return False
    client = collection.database.client
    if client.topology_description.topology_type_name == "Unknown":
        client.admin.command("ping")
    return client.topology_description.topology_type_name in _ONE_SERVER


def _by_commands(collection: MongoCollection, spec: QuerySpec) -> Generator[bytes, None, None]:
    client: Client = collection.database.client
    session = QuerySession(client)
    batch_size = {"batchSize": spec.options.batch_size or BATCH_SIZE}
    command = spec.command(collection.name)
    command |= {"cursor": batch_size} if spec.stages else batch_size
    if collection.read_concern.level is not None:
        command["readConcern"] = collection.read_concern.document
    comment = {"comment": command["comment"]} if "comment" in command else {}
    is_exhausted = False
    try:
        while True:
            send = partial(
                collection.database.command, command, codec_options=_RAW, session=session.driver
            )
            document: Any = run(session, send)
            reply = parse_cursor_reply(document.raw)
            is_exhausted = not reply.cursor_id
            if reply.batch:
                yield reply.batch
            if is_exhausted:
                return
            command = {
                "getMore": Int64(reply.cursor_id),
                "collection": collection.name,
                **batch_size,
                **comment,
            }
    finally:
        if is_exhausted:
            session.driver.end_session()
        else:
            _concurrency.shielded(end, session, has_open=True)
