"""The results of a query as raw BSON, batch by batch, with no Python object for any document."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Any

from bson.codec_options import CodecOptions
from bson.int64 import Int64
from bson.raw_bson import RawBSONDocument
from pymongo import ReadPreference

from .. import _concurrency
from .._core.bson_codec import CODEC_OPTIONS
from .._core.cursor_replies import cut
from .._core.query.query_spec import QuerySpec
from ..connection.driver_types import Client, MongoCollection
from ..operations.query_session import QuerySession, end, run
from ..operations.raw_cursors import cursor_batches
from ..operations.target import Target

# Documents in one batch: of 300 bytes each, decoding it holds Python's lock for 10 to 20 ms.
BATCH = 10_000
_RAW: CodecOptions[Any] = CODEC_OPTIONS.with_options(document_class=RawBSONDocument)
# Where the cursor's server answers every command of the client, and no other does.
_ONE_SERVER = {"Single", "ReplicaSetWithPrimary"}


async def raw_batches(
    target: Target, spec: QuerySpec, *, size: int | None = None, action: str = "load batches"
) -> AsyncGenerator[bytes, None]:
    """Yield the results as BSON documents that follow one another.

    Parameters:
        target: Where to look.
        spec: What to ask.
        size: How many documents a batch has at most; None for `BATCH`.
        action: As for `Target.call`.
    """
    if spec.limit == 0:
        return
    if target.session is None and await _is_direct(target.collection):
        batches = _by_commands(target.collection, spec, size or BATCH)
    else:
        batches = cursor_batches(target, spec, size or BATCH, action)
    async with aclosing(batches) as streams:
        async for stream in streams:
            yield stream


async def _is_direct(collection: MongoCollection) -> bool:
    if collection.read_preference != ReadPreference.PRIMARY:
        return False
    client = collection.database.client
    if client.topology_description.topology_type_name == "Unknown":
        await client.admin.command("ping")
    return client.topology_description.topology_type_name in _ONE_SERVER


def find_command(name: str, spec: QuerySpec, size: int) -> dict[str, Any]:
    """Return the command that begins a query."""
    limit = {"batchSize": size}
    return spec.command(name) | ({"cursor": limit} if spec.stages else limit)


async def _by_commands(
    collection: MongoCollection, spec: QuerySpec, size: int
) -> AsyncGenerator[bytes, None]:
    client: Client = collection.database.client
    session = QuerySession(client)
    command = find_command(collection.name, spec, size)
    if collection.read_concern.level is not None:
        command["readConcern"] = collection.read_concern.document
    ended = False
    try:
        while True:
            send = partial(
                collection.database.command, command, codec_options=_RAW, session=session.driver
            )
            answer: Any = await run(session, send)
            reply = cut(answer.raw)
            ended = not reply.cursor_id
            if reply.stream:
                yield reply.stream
            if ended:
                return
            command = {
                "getMore": Int64(reply.cursor_id),
                "collection": collection.name,
                "batchSize": size,
            }
    finally:
        if ended:
            await session.driver.end_session()
        else:
            await _concurrency.shielded(end, session, has_open=True)
