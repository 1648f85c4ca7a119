"""Translates the driver's errors into Loom's: duplicate keys, timeouts, refusals, with hints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from bson.errors import InvalidBSON
from pymongo import errors as driver

from . import server_codes
from .bson_codec import BSON_LIMITS, UNENCODABLE, encoding_reason
from .errors import (
    AuthenticationFailed,
    ConfigurationError,
    ConnectionFailed,
    DuplicateKey,
    EncodingError,
    InvalidDocument,
    LoomError,
    OperationFailed,
    OperationTimeout,
    TransactionAborted,
)
from .server_codes import (
    AUTHENTICATION_FAILED,
    BSON_OBJECT_TOO_LARGE,
    CHANGE_STREAM_HISTORY_LOST,
    CHANGE_STREAM_WITHOUT_REPLICA_SET,
    DOCUMENT_VALIDATION_FAILURE,
    DUPLICATE_KEY,
    INVALID_RESUME_TOKEN,
    OPERATION_NOT_SUPPORTED_IN_TRANSACTION,
    OUT_OF_DISK_SPACE,
    PATH_NOT_VIABLE,
    TOO_LARGE,
    UNAUTHORIZED,
)
from .uri import redacted
from .validation_failures import reason_of, validation_failure
from .write_concern_errors import NOT_CONFIRMED, unconfirmed

# Texts of errors that have no code of their own: the driver's, and the operating system's.
_NO_SESSIONS = "Sessions are not supported"
_DISK_FULL = "No space left on device"
_FREE_SPACE = "the server's disk is full: free space there"
_TOO_LARGE_HINT = "MongoDB holds documents of up to 16 MB"
_HINTS = {
    **dict.fromkeys(TOO_LARGE, _TOO_LARGE_HINT),
    OUT_OF_DISK_SPACE: _FREE_SPACE,
    PATH_NOT_VIABLE: "another writer changed the parent of this field; reload and try again",
    OPERATION_NOT_SUPPORTED_IN_TRANSACTION: "MongoDB does not allow this inside a transaction; "
    "time series are one such case",
    DOCUMENT_VALIDATION_FAILURE: "mend the document, or `await Model.ensure_validator()` if the "
    "model has changed",
    INVALID_RESUME_TOKEN: "the token belongs to another collection or server, or is not the token "
    "of a change",
    CHANGE_STREAM_HISTORY_LOST: "the server keeps changes for a limited time, and these are gone: "
    "load the documents again, and watch without a token from then on",
}
_TIME_LIMIT = (
    "the limit is max_time_ms of options(), or of a pymongo.timeout() block: an index, "
    "or a longer limit, lets the query end"
)
_MAY_BE_UNDONE = (
    "the server stops, or is no longer the primary, and the write may be undone: see what is "
    "stored before you repeat it"
)
# What the driver appends to its texts: the whole reply, or all that it knows of every server.
_DETAILS = re.compile(r", (?:full error|Topology Description):")


class TranslatedErrors:
    """A block that turns every error of the driver into a `LoomError`, with the former as cause.

    Parameters:
        action: What was being done, for the message: "persist User".
    """

    __slots__ = ("_action",)

    def __init__(self, action: str) -> None:
        self._action = action

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        translation = None if error is None else translated(error, self._action)
        if translation is not None:
            raise translation from error


def translated(error: BaseException, action: str) -> LoomError | None:
    """Return the Loom error for an error of the driver; None for any other error."""
    if isinstance(error, driver.PyMongoError):
        return translate(error, action)
    if isinstance(error, InvalidBSON):
        return unreadable(error)
    if isinstance(error, driver.DocumentTooLarge):
        message = f"{action}: {error}"
        return OperationFailed(message, code=BSON_OBJECT_TOO_LARGE, hint=_TOO_LARGE_HINT)
    if isinstance(error, UNENCODABLE):
        return EncodingError(f"{action}: {encoding_reason(error)}", path="", hint=BSON_LIMITS)
    return None


def unreadable(error: InvalidBSON) -> InvalidDocument:
    """Return the error for a stored document with a value that Python cannot represent."""
    return InvalidDocument(
        f"a stored document cannot be read: {error}",
        id=None,
        fields={},
        hint="Python's datetime ends with the year 9999; mend the value in the database",
    )


def translate(error: driver.PyMongoError, action: str) -> LoomError:
    """Return the Loom error for an error of the driver."""
    text = redacted(_DETAILS.split(str(error))[0])
    message = f"{action}: {text}"
    if error.has_error_label("TransientTransactionError"):
        return TransactionAborted(
            message, hint="@lm.transactional runs the whole function again, as does in_transaction"
        )
    return _by_kind(error, message, action)


def can_resume(error: driver.PyMongoError) -> bool:
    """Say whether a change stream can continue with a new cursor after an error."""
    return isinstance(
        error, driver.ConnectionFailure | driver.CursorNotFound
    ) or error.has_error_label("ResumableChangeStreamError")


def _by_kind(error: driver.PyMongoError, message: str, action: str) -> LoomError:
    match error:
        case driver.DuplicateKeyError():
            return duplicate_key(error.details or {}, action)
        case driver.BulkWriteError() if error.details["writeErrors"]:
            return _refused(error.details["writeErrors"][0], action)
        case driver.BulkWriteError():
            return _unconfirmed(error.details["writeConcernErrors"][0], action)
        case driver.WriteConcernError():
            failure = error.details or {"errmsg": str(error), "code": error.code}
            is_timeout = isinstance(error, driver.WTimeoutError)
            return _unconfirmed({**failure, "wtimeout": is_timeout}, action)
        case driver.ExecutionTimeout() | driver.WriteError(code=server_codes.MAX_TIME_MS_EXPIRED):
            return OperationTimeout(message, hint=_TIME_LIMIT)
        case driver.OperationFailure():
            return _by_code(error, message, action)
        case _:
            return _without_reply(error, message)


def _by_code(error: driver.OperationFailure, message: str, action: str) -> LoomError:
    """Return the error for an operation that the server refused."""
    code = error.code or 0
    if code == AUTHENTICATION_FAILED:
        return AuthenticationFailed(message, hint="check the user and password of the URI")
    if code == UNAUTHORIZED:
        return AuthenticationFailed(
            message,
            hint="give the URI a user and password, or the user a role that allows this",
        )
    if code == DOCUMENT_VALIDATION_FAILURE:
        return _invalid(error.details or {}, action)
    if code == CHANGE_STREAM_WITHOUT_REPLICA_SET:
        return ConfigurationError(
            message,
            hint="run the server as a replica set of one: mongod --replSet rs0, then "
            "rs.initiate(); the embedded server is one",
        )
    hint = _FREE_SPACE if _DISK_FULL in message else _HINTS.get(code)
    return OperationFailed(message, code=error.code, hint=hint)


def _without_reply(error: driver.PyMongoError, message: str) -> LoomError:
    """Return the error for an operation that the server did not reply to."""
    match error:
        case driver.NetworkTimeout():
            return OperationTimeout(message)
        case driver.WaitQueueTimeoutError():
            return OperationTimeout(
                message,
                hint="every connection of the pool was in use: raise maxPoolSize or "
                "waitQueueTimeoutMS of the URI, or run fewer operations at once",
            )
        case driver.ConnectionFailure() if str(error).startswith(NOT_CONFIRMED):
            return ConnectionFailed(message, hint=_MAY_BE_UNDONE)
        case driver.ConnectionFailure():
            return ConnectionFailed(message, hint="is the server running and reachable?")
        case driver.ConfigurationError() if _NO_SESSIONS in str(error):
            return ConnectionFailed(
                message, hint="the server starts or stops: a server that is ready has sessions"
            )
        case driver.ConfigurationError() | driver.InvalidName():
            return ConfigurationError(message)
        case _:
            return OperationFailed(message)


def _unconfirmed(failure: Mapping[str, Any], action: str) -> LoomError:
    """Return the error for a write that the primary made, but too few members confirmed."""
    error = unconfirmed(failure)
    message = f"{action}: {_DETAILS.split(str(error))[0]}"
    match error:
        case driver.AutoReconnect():
            return ConnectionFailed(message, hint=_MAY_BE_UNDONE)
        case driver.ExecutionTimeout() | driver.WTimeoutError():
            return OperationTimeout(message)
        case _:
            return OperationFailed(message, code=failure.get("code"))


def _refused(details: Mapping[str, Any], action: str) -> LoomError:
    if details.get("code") == DUPLICATE_KEY:
        return duplicate_key(details, action)
    if details.get("code") == DOCUMENT_VALIDATION_FAILURE:
        return _invalid(details, action)
    return OperationFailed(f"{action}: {reason_of(details)}", code=details.get("code"))


def _invalid(details: Mapping[str, Any], action: str) -> OperationFailed:
    return OperationFailed(
        f"{action}: {validation_failure(details)}",
        code=DOCUMENT_VALIDATION_FAILURE,
        hint=_HINTS[DOCUMENT_VALIDATION_FAILURE],
    )


def duplicate_key(details: Mapping[str, Any], action: str) -> DuplicateKey:
    """Return the error for a write that a unique index refused."""
    key = dict(details.get("keyValue") or {})
    fields = ", ".join(f"{name}={value!r}" for name, value in key.items())
    return DuplicateKey(
        f"{action}: there is already a document with {fields or details.get('errmsg', 'this key')}",
        key=key,
        hint="the fields form a unique index",
    )
