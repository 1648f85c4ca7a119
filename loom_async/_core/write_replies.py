"""Replies to write commands, and errors in place of a reply: which statements have happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson.errors import InvalidDocument, InvalidStringData
from pymongo import errors as driver

from .server_codes import (
    COMMAND_REFUSALS,
    DUPLICATE_KEY,
    IMMUTABLE_FIELD,
    INTERRUPTIONS,
    SHARD_KEY_NOT_FOUND,
)
from .write_concern_errors import unconfirmed

Details = Mapping[str, Any]
RETRYABLE = "RetryableWriteError"
# These errors do not say that nothing was written.
_MAY_HAVE_WRITTEN = (driver.WriteConcernError, driver.BulkWriteError, driver.ExecutionTimeout)


def write_errors(reply: Details) -> dict[int, dict[str, Any]]:
    """Return the errors of the statements that the server refused, by position."""
    return {int(error["index"]): error for error in reply.get("writeErrors", ())}


def executed(reply: Details) -> set[int]:
    """Return the positions of the statements that an earlier attempt of the command executed."""
    return set(reply.get("retriedStmtIds", ()))


def not_matched(details: Details) -> bool:
    """Say whether an upsert that may not insert matched no document.

    On a collection that is sharded by another key than `_id` the server cannot tell: then True too.
    """
    return details.get("code") in (IMMUTABLE_FIELD, SHARD_KEY_NOT_FOUND)


def statement_error(details: Details) -> driver.WriteError:
    """Return the driver's error for one of the `writeErrors` of a reply."""
    kind = driver.DuplicateKeyError if details.get("code") == DUPLICATE_KEY else driver.WriteError
    return kind(str(details.get("errmsg")), details.get("code"), details)


def not_confirmed(
    reply: Details,
) -> driver.AutoReconnect | driver.ExecutionTimeout | driver.WriteConcernError | None:
    """Return the driver's error if too few members confirmed a write; None otherwise."""
    failure = reply.get("writeConcernError")
    return unconfirmed(failure) if failure else None


def was_not_sent(error: BaseException) -> bool:
    """Say whether the driver raised an error before it sent anything."""
    return isinstance(
        error,
        driver.ServerSelectionTimeoutError
        | driver.WaitQueueTimeoutError
        | driver.ConfigurationError
        | driver.DocumentTooLarge
        | InvalidDocument
        | InvalidStringData
        | OverflowError
        | TypeError
        | UnicodeError,
    )


def is_certain_refusal(error: BaseException) -> bool:
    """Say whether an error of the server means that a single statement has not happened.

    It does not if the server was interrupted, or waited for other members. For a command of many
    statements no error means that: some may have happened before it.
    """
    if not isinstance(error, driver.OperationFailure) or isinstance(error, _MAY_HAVE_WRITTEN):
        return False
    return error.code not in INTERRUPTIONS and not error.has_error_label(RETRYABLE)


def is_command_refusal(error: BaseException) -> bool:
    """Say whether the server refused a command before it looked at its statements."""
    return isinstance(error, driver.OperationFailure) and error.code in COMMAND_REFUSALS


def may_be_sent_again(error: driver.PyMongoError) -> bool:
    """Say whether an error allows to send a numbered command again.

    It does not if the caller's time limit has passed, or nothing was sent.
    """
    if error.timeout and not isinstance(error, driver.NetworkTimeout):
        return False
    if was_not_sent(error):
        return False
    return isinstance(error, driver.ConnectionFailure) or error.has_error_label(RETRYABLE)
