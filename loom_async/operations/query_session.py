"""The session of a query: what runs in it ends with the query, and nothing stays on the server."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

import pymongo
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError

from .. import _concurrency
from ..connection.driver_types import Client

R = TypeVar("R")

# A caller that gives up does not wait longer for a server that does not reply.
SECONDS_TO_GIVE_UP = 2.0


class QuerySession:
    """A session that one query has for itself.

    A query that is given up before its first reply has no other name on the server.

    Parameters:
        client: The client of the query.
    """

    __slots__ = ("driver", "is_running", "is_spoilt")

    def __init__(self, client: Client) -> None:
        #: The driver's session, to be named by what the query sends.
        self.driver: AsyncClientSession = client.start_session(causal_consistency=False)
        #: True while a call has no reply: also after it was given up, and the server is silent.
        self.is_running: bool = False
        #: True if the server may end what is done in the session later on.
        self.is_spoilt: bool = False


async def run(session: QuerySession, call: Callable[[], Coroutine[Any, Any, R]]) -> R:
    """Call the driver, and return its result.

    A cancelled caller leaves when the server has replied, which is told to end what takes long.

    Parameters:
        session: Of the query.
        call: Sends one command at a time in this session.
    """
    return await _concurrency.await_reply(watched(session, call), partial(kill, session))


async def watched(session: QuerySession, call: Callable[[], Coroutine[Any, Any, R]]) -> R:
    """Call the driver, and note whether it has replied."""
    session.is_running = True
    try:
        result = await call()
    except Exception:
        session.is_running = False
        raise
    session.is_running = False
    return result


async def kill(session: QuerySession) -> bool:
    """Have the server end what runs and is open in a session; say whether it has replied."""
    client = session.driver.client
    if not client.topology_description.has_readable_server():
        return False  # a caller that gives up does not wait for a server that is away
    try:
        with pymongo.timeout(SECONDS_TO_GIVE_UP):
            await client.admin.command("killSessions", [session.driver.session_id])
    except PyMongoError:
        session.is_spoilt = True
        return False  # the server ends by itself what is not asked for any longer
    return True


async def end(session: QuerySession, *, has_open: bool) -> None:
    """Give a session back to the driver, with nothing running or open in it.

    Parameters:
        session: Of the query.
        has_open: Whether a cursor may be open in it.
    """
    is_done = True
    if has_open or session.is_running:
        is_done = await kill(session)
    # Else what the session is used for next might be ended as well.
    if is_done and not session.is_spoilt:
        await session.driver.end_session()
