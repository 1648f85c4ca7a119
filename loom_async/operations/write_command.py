"""Write commands that happen once, however often they are sent.

The server remembers a write command that has a session and a number (`lsid` and `txnNumber`), one
statement at a time. Sent again, the command does what it has not done yet, and the reply says what
it had done before (driver specification "Retryable Writes"). pymongo sends such a command twice at
most, and gives no way to ask for its outcome later. Here it is sent until the server replies, and
it can be sent again when the object is persisted the next time.
"""

from __future__ import annotations

import time
from typing import Any

import pymongo
from bson import Int64
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    PyMongoError,
)

from .. import _concurrency
from .._core.bson_codec import CODEC_OPTIONS
from .._core.driver_errors import translate
from .._core.settings import setting
from .._core.trace import note
from .._core.write_replies import (
    is_certain_refusal,
    is_command_refusal,
    may_be_sent_again,
    not_confirmed,
    statement_error,
    was_not_sent,
    write_errors,
)
from ..connection.client_cache import ClientCache, WriteSession, cache_of
from ..connection.driver_types import Client, MongoCollection
from ..connection.open_client import server_kinds
from ..connection.pymongo_blocks import has_bound_session, has_time_limit, is_time_over

# The server forgets a session that is idle for 30 minutes, and with it what it has done.
_SECONDS_REMEMBERED = 20 * 60
_FIRST_WAIT, _LONGEST_WAIT = 0.005, 0.25
_OF_ALL = ("txnNumber", "writeConcern")
_STATEMENTS = ("documents", "updates", "deletes")


class WriteCommand:
    """A write command of a collection, outside of any transaction.

    Parameters:
        collection: Where it writes; its write concern holds.
        body: The command, without its write concern.
        is_numbered: Whether the server is to remember it. It refuses to for updates of many
            documents by one statement.
    """

    __slots__ = (
        "_body",
        "_is_numbered",
        "_is_part",
        "_sent_at",
        "_session",
        "collection",
        "is_unknown",
        "times_sent",
    )

    def __init__(
        self, collection: MongoCollection, body: dict[str, Any], *, is_numbered: bool = True
    ) -> None:
        self.collection: MongoCollection = collection
        self._body = body
        self._is_numbered = is_numbered
        self._session: WriteSession | None = None
        self._sent_at = 0.0
        self._is_part = False
        #: True from when the command is sent until the objects agree with what has become of it.
        self.is_unknown: bool = False
        self.times_sent: int = 0

    def settle(self) -> None:
        """Note that the objects agree with the reply: another command may have the session."""
        self.is_unknown = False
        self._release()

    def can_be_sent_again(self, client: Client) -> bool:
        """Say whether the server still knows what this command has done."""
        return (
            self._session is not None
            and self.collection.database.client is client
            and time.monotonic() - self._sent_at < _SECONDS_REMEMBERED
        )

    def part(self, place: int) -> WriteCommand:
        """Return one statement of a command whose outcome is unknown, as a command to send again.

        Parameters:
            place: Which one.
        """
        name = next(name for name in _STATEMENTS if name in self._body)
        one = {**self._body, name: [self._body[name][place]], "stmtIds": [place]}
        one.pop("maxTimeMS", None)  # set for the sake of the other statements
        found = WriteCommand(self.collection, one)
        found._session, found._sent_at = self._session, self._sent_at
        found._is_part = found.is_unknown = True
        return found

    @property
    def is_ordered(self) -> bool:
        """True if no statement is tried after one that fails."""
        return bool(self._body.get("ordered", True))

    @property
    def count(self) -> int:
        """How many statements it has."""
        return sum(len(self._body[name]) for name in _STATEMENTS if name in self._body) or 1

    async def _send(self) -> dict[str, Any]:
        try:
            if self._session is None:
                await self._begin()
            return await self._reply(self._body)
        except PyMongoError:
            self._release()
            raise

    async def _send_in(self, session: AsyncClientSession) -> dict[str, Any]:
        database = self.collection.database
        return await database.command(self._body, session=session, codec_options=CODEC_OPTIONS)

    async def _ask(self) -> dict[str, Any] | None:
        if self._session is None:
            return None
        nothing: dict[str, Any] = {"q": {"_id": None, "$nor": [{}]}, "u": {"$set": {"_": None}}}
        statements = [nothing] * self.count
        body: dict[str, Any] = {"update": self.collection.name, "updates": statements}
        same = {name: self._body[name] for name in _OF_ALL if name in self._body}
        return await self._reply({**body, "ordered": False, **same})

    async def _begin(self) -> None:
        collection = self.collection
        if not collection.write_concern.is_server_default:
            self._body["writeConcern"] = collection.write_concern.document
        if self._is_numbered:
            self._session = await _write_session(collection)
        if self._session is not None:
            self._body["txnNumber"] = Int64(self._session.number)
            self._sent_at = time.monotonic()

    def _release(self) -> None:
        """Let another command have the session, once the outcome is known."""
        if self._session is None or self.is_unknown:
            return
        if not self._is_part:
            cache_of(self.collection.database.client).write_sessions.append(self._session)
        self._session = None

    async def _reply(self, body: dict[str, Any]) -> dict[str, Any]:
        limit: float | None = self.collection.database.client.options.timeout
        if limit is None or has_time_limit():
            return await self._sent_until_replied(body)
        with pymongo.timeout(limit):  # for all attempts together, as the driver's own
            return await self._sent_until_replied(body)

    async def _sent_until_replied(self, body: dict[str, Any]) -> dict[str, Any]:
        until = time.monotonic() + setting("server_timeout")
        wait, timeouts = _FIRST_WAIT, 0
        while True:
            try:
                return await self._sent(body)
            except PyMongoError as error:
                # A limit of time for one reply may pass twice, as the driver has it.
                timeouts += isinstance(error, NetworkTimeout)
                is_over = timeouts > 1 or time.monotonic() > until or is_time_over()
                if self._session is None or is_over or not may_be_sent_again(error):
                    raise
            await _concurrency.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    async def _sent(self, body: dict[str, Any]) -> dict[str, Any]:
        session = None if self._session is None else self._session.client_session
        was_unknown, self.is_unknown = self.is_unknown, True
        self.times_sent += 1
        if self.times_sent > 1:
            note("repeated")
        try:
            reply = await self.collection.database.command(
                body, session=session, codec_options=CODEC_OPTIONS
            )
        except BaseException as error:
            if was_not_sent(error) or is_command_refusal(error):
                self.is_unknown = was_unknown
            elif self.count == 1 and is_certain_refusal(error):
                self.is_unknown = False
            if session is not None and isinstance(error, ConfigurationError):
                # A server that stops may not say that it has sessions, as it has.
                raise AutoReconnect(str(error)) from error
            raise
        failure = not_confirmed(reply)
        # By a primary that stops, and the next one may not have the write; or within a limit of
        # Loom's own, so that the confirmation has to be awaited by another command.
        is_own_limit = isinstance(failure, ExecutionTimeout) and "maxTimeMS" in body
        if failure is not None and (isinstance(failure, ConnectionFailure) or is_own_limit):
            raise failure
        return reply


async def send(command: WriteCommand) -> dict[str, Any]:
    """Send a command until the server replies, and return the reply.

    Raises:
        PyMongoError: The server has refused the command as a whole, or it has not replied
            within the time that is allowed.
    """
    return await command._send()  # pyright: ignore[reportPrivateUsage]


async def send_in_transaction(command: WriteCommand, session: AsyncClientSession) -> dict[str, Any]:
    """Send a command as part of a transaction, and return the reply.

    Raises:
        PyMongoError: The server has refused it, or not replied: the transaction has ended.
    """
    return await command._send_in(session)  # pyright: ignore[reportPrivateUsage]


async def ask(command: WriteCommand) -> dict[str, Any] | None:
    """Return a reply that says which statements have happened; None if the server cannot tell.

    Statements that match nothing are sent under the same number: the server tells those that
    have happened before from the others, which do not happen (`executed` reads the reply).

    Parameters:
        command: A command whose outcome is unknown.
    """
    return await command._ask()  # pyright: ignore[reportPrivateUsage]


async def _write_session(collection: MongoCollection) -> WriteSession | None:
    """Return a session for a command, with a number of its own; None where there are none."""
    client = collection.database.client
    state = cache_of(client)
    if has_bound_session() or not collection.write_concern.acknowledged:
        return None
    if not await _has_numbers(client, state):
        return None
    try:
        session = state.write_sessions.pop()
    except IndexError:
        session = WriteSession(client)
    session.number += 1
    return session


async def _has_numbers(client: Client, state: ClientCache) -> bool:
    if state.has_numbers is None:
        state.has_numbers = client.options.retry_writes and "Standalone" not in (
            await server_kinds(client)
        )
    return state.has_numbers


def raise_refusal(reply: dict[str, Any]) -> None:
    """Raise the driver's error for a command of one statement that the server has refused."""
    errors = write_errors(reply)
    if errors:
        raise statement_error(errors[0])


def raise_unconfirmed(reply: dict[str, Any], action: str) -> None:
    """Raise the error for a write that was made, and that too few members confirm."""
    failure = not_confirmed(reply)
    if failure is not None:
        raise translate(failure, action) from failure
