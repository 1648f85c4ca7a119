"""What the server says of a write command: which of its statements have happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson.errors import InvalidDocument, InvalidStringData
from pymongo import errors as driver

from .server_codes import (
    DUPLICATE_KEY,
    IMMUTABLE_FIELD,
    INTERRUPTIONS,
    REFUSALS,
    SHARD_KEY_NOT_FOUND,
)
from .write_concern import unconfirmed

Details = Mapping[str, Any]
RETRYABLE = "RetryableWriteError"
_OF_WRITES_MADE = (driver.WriteConcernError, driver.BulkWriteError, driver.ExecutionTimeout)


def write_errors(reply: Details) -> dict[int, dict[str, Any]]:
    """Return the errors of the statements that the server refused, by their places."""
    return {int(error["index"]): error for error in reply.get("writeErrors", ())}


def executed(reply: Details) -> set[int]:
    """Return the places of the statements that had happened before a command was sent again."""
    return set(reply.get("retriedStmtIds", ()))


def not_matched(details: Details) -> bool:
    """Say whether an update that inserts nothing has found no document.

    Or whether the server cannot tell so: on a collection that is sharded by another key than `_id`.
    """
    return details.get("code") in (IMMUTABLE_FIELD, SHARD_KEY_NOT_FOUND)


def statement_error(details: Details) -> driver.WriteError:
    """Return the driver's error for one of the `writeErrors` of a reply."""
    kind = driver.DuplicateKeyError if details.get("code") == DUPLICATE_KEY else driver.WriteError
    return kind(str(details.get("errmsg")), details.get("code"), details)


def not_confirmed(
    reply: Details,
) -> driver.AutoReconnect | driver.ExecutionTimeout | driver.WriteConcernError | None:
    """Return the driver's error for a write that was made, and that too few members confirm."""
    failure = reply.get("writeConcernError")
    return unconfirmed(failure) if failure else None


def was_not_sent(error: BaseException) -> bool:
    """Say whether an error of the driver comes before anything is sent."""
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


def is_answer(error: BaseException) -> bool:
    """Say whether an error is the server's word that a command of one statement has not happened.

    Not if the server was interrupted, or waited for other members. Of a command of many statements
    no error says so: some of them may have happened before it.
    """
    if not isinstance(error, driver.OperationFailure) or isinstance(error, _OF_WRITES_MADE):
        return False
    return error.code not in INTERRUPTIONS and not error.has_error_label(RETRYABLE)


def is_refusal(error: BaseException) -> bool:
    """Say whether the server has refused a command, whatever its statements are."""
    return isinstance(error, driver.OperationFailure) and error.code in REFUSALS


def may_be_sent_again(error: driver.PyMongoError) -> bool:
    """Say whether a command that has a number is sent again after an error.

    Not once the time that the caller allows has passed.
    """
    if error.timeout and not isinstance(error, driver.NetworkTimeout):
        return False
    if was_not_sent(error):
        return False
    return isinstance(error, driver.ConnectionFailure) or error.has_error_label(RETRYABLE)
