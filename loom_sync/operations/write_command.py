# Generated from loom_async/operations/write_command.py by `nox -s sync`: edit that file.
"""Sends a write command until the server replies; it happens once, however often it is sent.

The server remembers each statement of a write command that has a session and a number (`lsid` and
`txnNumber`). A command that is sent again does what it has not done yet, and the reply lists the
statements that it had done before (driver specification "Retryable Writes"). pymongo retries such a
command once, and cannot ask for its outcome later. Here a command is sent until the server replies,
and it can be sent again when its object is persisted the next time.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import pymongo
from bson import Int64
from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    PyMongoError,
)
from pymongo.synchronous.client_session import ClientSession

from loom_async._core.bson_codec import CODEC_OPTIONS
from loom_async._core.driver_errors import translate
from loom_async._core.settings import setting
from loom_async._core.trace import note
from loom_async._core.write_replies import (
    is_certain_refusal,
    is_command_refusal,
    may_be_sent_again,
    not_confirmed,
    statement_error,
    was_not_sent,
    write_errors,
)

from .. import _concurrency
from ..connection.client_cache import WriteSession, cache_of
from ..connection.driver_types import Client, MongoCollection
from ..connection.open_client import server_kinds
from ..connection.pymongo_blocks import has_bound_session, has_time_limit, is_time_over

# The server forgets a session that is idle for 30 minutes, and with it what it has done.
_SECONDS_REMEMBERED = 20 * 60
# Seconds between two attempts.
_FIRST_WAIT, _LONGEST_WAIT = 0.005, 0.25
_STATEMENTS = ("documents", "updates", "deletes")


@dataclass(slots=True, eq=False)
class WriteCommand:
    """A write command of a collection, with all that is needed to send it again.

    `body` is the command without its write concern, which is that of the collection.
    `is_numbered` is false if the server cannot remember it: an update of many documents by one
    statement.
    `session` is the session that remembers it, until the outcome is known.
    `sent_at` is when its number was first sent, by the monotonic clock.
    `is_part` is true for one statement of another command, which owns the session.
    `is_unknown` is true from when it is sent until the objects agree with its outcome.
    """

    collection: MongoCollection
    body: dict[str, Any]
    is_numbered: bool = True
    session: WriteSession | None = None
    sent_at: float = 0.0
    is_part: bool = False
    is_unknown: bool = False
    times_sent: int = 0

    @property
    def is_ordered(self) -> bool:
        """True if no statement is tried after one that fails."""
        return bool(self.body.get("ordered", True))

    @property
    def count(self) -> int:
        """The number of statements."""
        return sum(len(self.body[name]) for name in _STATEMENTS if name in self.body) or 1

    def can_be_sent_again(self, client: Client) -> bool:
        """Say whether the server still knows what this command has done."""
        return (
            self.session is not None
            and self.collection.database.client is client
            and time.monotonic() - self.sent_at < _SECONDS_REMEMBERED
        )

    def part(self, index: int) -> WriteCommand:
        """Return one statement of a command whose outcome is unknown, as a command to send again.

        Parameters:
            index: The position of the statement.
        """
        name = next(name for name in _STATEMENTS if name in self.body)
        body = {**self.body, name: [self.body[name][index]], "stmtIds": [index]}
        body.pop("maxTimeMS", None)  # it limits the wait of the other statements
        return WriteCommand(
            self.collection,
            body,
            session=self.session,
            sent_at=self.sent_at,
            is_part=True,
            is_unknown=True,
        )

    def settle(self) -> None:
        """Note that the objects agree with the outcome: another command may use the session."""
        self.is_unknown = False
        if self.session is not None:
            if not self.is_part:
                cache_of(self.collection.database.client).write_sessions.append(self.session)
            self.session = None


def send(command: WriteCommand, session: ClientSession | None) -> dict[str, Any]:
    """Send a command until the server replies, and return the reply.

    Parameters:
        command: The command.
        session: The session of a transaction, in which it is sent once; None outside of one.

    Raises:
        PyMongoError: The server has refused the command as a whole, or has not replied in time. A
            transaction has ended.
    """
    if session is not None:
        return command.collection.database.command(
            command.body, session=session, codec_options=CODEC_OPTIONS
        )
    try:
        if command.session is None:
            _prepare(command)
        return _send_until_replied(command, command.body)
    except PyMongoError:
        if not command.is_unknown:
            command.settle()
        raise


def ask(command: WriteCommand) -> dict[str, Any] | None:
    """Return a reply that lists the statements that have happened; None if the server cannot tell.

    Statements that match nothing are sent under the same number: the server lists those that have
    happened before, and refuses the others (`executed` reads the reply).

    Parameters:
        command: A command whose outcome is unknown.
    """
    if command.session is None:
        return None
    nothing: dict[str, Any] = {"q": {"_id": None, "$nor": [{}]}, "u": {"$set": {"_": None}}}
    body = {
        "update": command.collection.name,
        "updates": [nothing] * command.count,
        "ordered": False,
        "txnNumber": command.body["txnNumber"],
    }
    if "writeConcern" in command.body:
        body["writeConcern"] = command.body["writeConcern"]
    return _send_until_replied(command, body)


def _prepare(command: WriteCommand) -> None:
    """Give a command its write concern and, if servers remember commands, a session and number."""
    concern = command.collection.write_concern
    if not concern.is_server_default:
        command.body["writeConcern"] = concern.document
    if not command.is_numbered or not concern.acknowledged or has_bound_session():
        return
    client = command.collection.database.client
    cache = cache_of(client)
    if cache.has_numbers is None:
        kinds = server_kinds(client) if client.options.retry_writes else {"Standalone"}
        cache.has_numbers = "Standalone" not in kinds
    if not cache.has_numbers:
        return
    try:
        session = cache.write_sessions.pop()
    except IndexError:
        session = WriteSession(client)
    session.number += 1
    command.session, command.sent_at = session, time.monotonic()
    command.body["txnNumber"] = Int64(session.number)


def _send_until_replied(command: WriteCommand, body: dict[str, Any]) -> dict[str, Any]:
    start, wait, timeouts = time.monotonic(), _FIRST_WAIT, 0
    limit: float | None = command.collection.database.client.options.timeout
    # The client's limit applies to all attempts together, as in the driver.
    is_free = limit is None or has_time_limit()
    with nullcontext() if is_free else pymongo.timeout(limit):
        while True:
            try:
                return _send_once(command, body)
            except PyMongoError as error:
                # The time limit of one reply may pass twice, as in the driver.
                timeouts += isinstance(error, NetworkTimeout)
                has_waited = time.monotonic() - start > setting("server_timeout")
                is_over = timeouts > 1 or has_waited or is_time_over()
                if command.session is None or is_over or not may_be_sent_again(error):
                    raise
            _concurrency.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)


def _send_once(command: WriteCommand, body: dict[str, Any]) -> dict[str, Any]:
    session = None if command.session is None else command.session.client_session
    was_unknown, command.is_unknown = command.is_unknown, True
    command.times_sent += 1
    if command.times_sent > 1:
        note("repeated")
    try:
        reply = command.collection.database.command(
            body, session=session, codec_options=CODEC_OPTIONS
        )
    except BaseException as error:
        if was_not_sent(error) or is_command_refusal(error):
            command.is_unknown = was_unknown
        elif command.count == 1 and is_certain_refusal(error):
            command.is_unknown = False
        if session is not None and isinstance(error, ConfigurationError):
            # A server that stops may claim that it has no sessions.
            raise AutoReconnect(str(error)) from error
        raise
    if "writeConcernError" in reply:
        failure = not_confirmed(reply)
        # The next primary may not have a write that one which stops has not confirmed. Within a
        # limit of Loom's own the confirmation has to be awaited by another command.
        is_own_limit = isinstance(failure, ExecutionTimeout) and "maxTimeMS" in body
        if failure is not None and (isinstance(failure, ConnectionFailure) or is_own_limit):
            raise failure
    return reply


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
