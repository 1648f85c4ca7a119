"""The results of queries as raw batches, and nothing left open however they end."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pymongo
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError

from . import _seam
from ._core.query.spec import QuerySpec
from .clients import MongoCollection
from .targets import Target

# Whoever cancels is not kept waiting for a server that does not answer.
SECONDS_TO_GIVE_UP = 2.0


async def batches(
    target: Target, spec: QuerySpec, size: int, action: str
) -> AsyncGenerator[bytes, None]:
    """Yield the results of a query as raw batches, and leave nothing open, however it ends.

    Parameters:
        target: Where to look.
        spec: What to ask.
        size: How many documents a batch has at most.
        action: As for `Target.turn`.
    """
    cursor: Any = None
    own: AsyncClientSession | None = None
    is_asking = True
    try:
        async with target.turn(action, reads=True):
            if target.session is None:
                own = target.collection.database.client.start_session(causal_consistency=False)
            cursor = await _cursor(target.collection, spec, size, own or target.session)
        while True:
            is_asking = True
            async with target.turn(action, reads=True):
                batch: bytes | None = await anext(cursor, None)
            is_asking = False
            if batch is None:
                return
            yield batch
    except Exception:
        is_asking = False  # the server has answered, or there is nobody to tell
        raise
    finally:
        if own is None:
            await _close(target, cursor)
        elif is_asking or (cursor is not None and cursor.alive):
            await _seam.in_any_case(_give_up, cursor, own, is_asking=is_asking)
        else:
            await own.end_session()


async def _cursor(
    collection: MongoCollection, spec: QuerySpec, size: int, session: AsyncClientSession | None
) -> Any:
    if spec.stages:
        return await collection.aggregate_raw_batches(
            spec.pipeline(), batchSize=size, session=session
        )
    return collection.find_raw_batches(
        spec.filter, **spec.find_arguments(), batch_size=size, session=session
    )


async def _close(target: Target, cursor: Any) -> None:
    if target.transaction is None or cursor is None:
        return
    async with target.transaction.lock:
        if not target.transaction.is_ended:  # else the server has closed it
            await cursor.close()


async def _give_up(cursor: Any, session: AsyncClientSession, *, is_asking: bool) -> None:
    with pymongo.timeout(SECONDS_TO_GIVE_UP):
        if cursor is not None:
            await cursor.close()
    if is_asking:
        await end_queries(session)
    else:
        await session.end_session()


async def end_queries(session: AsyncClientSession) -> None:
    """Have the server end what runs and is open in a session.

    A query that is given up before its first reply has no other name. The session is not given back
    to the driver's pool: what it is used for next might be ended as well.
    """
    if not session.client.topology_description.has_readable_server():
        return  # Whoever gives up does not wait for a server that is away.
    try:
        with pymongo.timeout(SECONDS_TO_GIVE_UP):
            await session.client.admin.command("killSessions", [session.session_id])
    except PyMongoError:
        return  # The server ends what nobody asks for any longer by itself.
