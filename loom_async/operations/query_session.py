"""The session of a query, through which the server ends the query's commands and cursors."""

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

# How long a cancelled caller waits for a server that does not reply.
SECONDS_TO_GIVE_UP = 2.0


class QuerySession:
    """A session used by one query only.

    Before the first reply of a query its cursor has no id: only the session identifies the query on
    the server.

    Parameters:
        client: The client of the query.
    """

    __slots__ = ("driver", "has_late_kill", "is_running")

    def __init__(self, client: Client) -> None:
        #: The driver's session, for the commands of the query.
        self.driver: AsyncClientSession = client.start_session(causal_consistency=False)
        #: True while a call has no reply, also after the caller has stopped waiting for it.
        self.is_running: bool = False
        #: True if the server may still execute a `killSessions` for the session later.
        self.has_late_kill: bool = False


async def run(session: QuerySession, call: Callable[[], Coroutine[Any, Any, R]]) -> R:
    """Call the driver and return its result.

    If the caller is cancelled, the call is ended at the server, and its reply is awaited.

    Parameters:
        session: The session of the query.
        call: Sends commands in this session, one at a time.
    """
    return await _concurrency.await_reply(tracked(session, call), partial(kill, session))


async def tracked(session: QuerySession, call: Callable[[], Coroutine[Any, Any, R]]) -> R:
    """Call the driver, and keep `is_running` true until the server has replied."""
    session.is_running = True
    try:
        result = await call()
    except Exception:
        session.is_running = False
        raise
    session.is_running = False
    return result


async def kill(session: QuerySession) -> bool:
    """Have the server end the commands and cursors of a session; return False without a reply."""
    client = session.driver.client
    if not client.topology_description.has_readable_server():
        return False  # a cancelled caller does not wait until the server is reachable
    try:
        with pymongo.timeout(SECONDS_TO_GIVE_UP):
            await client.admin.command("killSessions", [session.driver.session_id])
    except PyMongoError:
        session.has_late_kill = True
        return False  # the server closes unused cursors after a time-out
    return True


async def end(session: QuerySession, *, has_open: bool) -> None:
    """End the commands and cursors of a session, and return it to the driver.

    Parameters:
        session: The session of the query.
        has_open: Whether a cursor may be open in it.
    """
    is_idle = True
    if has_open or session.is_running:
        is_idle = await kill(session)
    # The driver uses the session again: a late killSessions would end the next user's commands.
    if is_idle and not session.has_late_kill:
        await session.driver.end_session()
