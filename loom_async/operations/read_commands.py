"""Reads as plain commands: the driver's cursors take a tenth longer for one document."""

from __future__ import annotations

from typing import Any

from bson.codec_options import CodecOptions
from pymongo import ReadPreference
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError, ServerSelectionTimeoutError

from .._core.query.query_spec import QuerySpec
from .._core.read_errors import may_be_read_again
from ..connection.driver_types import MongoCollection
from ..connection.pymongo_blocks import has_bound_session, has_time_limit
from .target import Target

# The topologies in which all commands to the primary go to one server, which has the cursors.
_ONE_SERVER = {"Single", "ReplicaSetWithPrimary"}


def reads_one_server(collection: MongoCollection) -> bool:
    """Say whether all reads of a collection go to one server, which is known.

    Parameters:
        collection: The collection, with its read preference.
    """
    topology = collection.database.client.topology_description
    return (
        collection.read_preference == ReadPreference.PRIMARY
        and topology.topology_type_name in _ONE_SERVER
    )


def reads_by_commands(target: Target) -> bool:
    """Say whether plain commands read as the driver's own methods do.

    They do not in a transaction and inside blocks of pymongo's, which limit the time of all
    attempts together or give the reads a session.

    Parameters:
        target: The target of the reads.
    """
    return (
        target.session is None
        and reads_one_server(target.collection)
        and not has_bound_session()
        and not has_time_limit()
        and target.collection.database.client.options.timeout is None
    )


async def find_one(target: Target, spec: QuerySpec) -> dict[str, Any] | None:
    """Return the first result of a find, or None.

    Parameters:
        target: The target of the query.
        spec: The query, without stages.
    """
    collection = target.collection
    if not reads_by_commands(target):
        arguments = spec.find_arguments()
        del arguments["limit"]
        return await collection.find_one(spec.find_filter, **arguments, session=target.session)
    command = spec.command(collection.name)
    command["limit"], command["singleBatch"] = 1, True  # leaves no cursor open
    reply = await send_read(collection, command, collection.codec_options)
    batch: list[dict[str, Any]] = reply["cursor"]["firstBatch"]
    return batch[0] if batch else None


async def send_read(
    collection: MongoCollection,
    command: dict[str, Any],
    codec_options: CodecOptions[Any],
    session: AsyncClientSession | None = None,
) -> Any:
    """Send a `find` or an `aggregate` to the primary, and return its reply.

    As the driver's own reads, it is sent again once if that may help.

    Parameters:
        collection: The collection.
        command: The command, to which the read concern is added.
        codec_options: How the reply is decoded.
        session: The session of the query, if it has one.
    """
    database = collection.database
    if collection.read_concern.level is not None:
        command["readConcern"] = collection.read_concern.document
    try:
        return await database.command(command, codec_options=codec_options, session=session)
    except PyMongoError as error:
        if not database.client.options.retry_reads or not may_be_read_again(error):
            raise
        failure = error
    try:
        return await database.command(command, codec_options=codec_options, session=session)
    except ServerSelectionTimeoutError:
        raise failure from None
