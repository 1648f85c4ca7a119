"""The one place where the driver's errors become Loom's."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from pymongo import errors as driver

from .errors import (
    AuthenticationFailed,
    ConfigurationError,
    ConnectionFailed,
    DuplicateKey,
    EncodingError,
    LoomError,
    OperationFailed,
    OperationTimeout,
    TransactionAborted,
)
from .refusals import reason_of, refusal
from .uri import redacted

_DUPLICATE_KEY, _INVALID = 11000, 121
_AUTHENTICATION_FAILED, _UNAUTHORIZED = 18, 13
_PATH_NOT_VIABLE, _BAD_VALUE = 28, 2
_NO_CHANGE_STREAMS = 40573
_HINTS = {
    _PATH_NOT_VIABLE: "another writer changed the parent of this field; reload and try again",
    263: "MongoDB does not allow this inside a transaction; time series are one such case",
    _INVALID: "mend the document, or `await Model.ensure_validator()` if the model has changed",
    260: "the token is of another collection or server, or no token of a change",
    286: "the server keeps changes for a time only, and these are gone: load the documents anew, "
    "and watch without a token from then on",
    10334: "MongoDB holds documents of up to 16 MB",
    17419: "MongoDB holds documents of up to 16 MB",
}


class Translated:
    """A block in which every error of the driver leaves as a `LoomError` that keeps its cause.

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
        known = None if error is None else translated(error, self._action)
        if known is not None:
            raise known from error


def translated(error: BaseException, action: str) -> LoomError | None:
    """Return the Loom error that says what an error of the driver means; None for any other."""
    if isinstance(error, driver.PyMongoError):
        return translate(error, action)
    if isinstance(error, OverflowError):
        return EncodingError(
            f"{action}: {error}", path="", hint="MongoDB holds integers of 64 bits"
        )
    return None


def translate(error: driver.PyMongoError, action: str) -> LoomError:
    """Return the Loom error that says what a driver error means."""
    text = redacted(str(error).split(", full error:")[0])
    message = f"{action}: {text}"
    if error.has_error_label("TransientTransactionError"):
        return TransactionAborted(
            message, hint="@lm.transactional runs the whole function again, as does in_transaction"
        )
    return _by_kind(error, message, action)


def is_passing(error: driver.PyMongoError) -> bool:
    """Say whether a change stream can go on, by a new cursor, after an error of the driver."""
    return isinstance(
        error, driver.ConnectionFailure | driver.CursorNotFound
    ) or error.has_error_label("ResumableChangeStreamError")


def _by_kind(error: driver.PyMongoError, message: str, action: str) -> LoomError:
    match error:
        case driver.DuplicateKeyError():
            return duplicate_key(error.details or {}, action)
        case driver.BulkWriteError() if error.details["writeErrors"]:
            return _refused(error.details["writeErrors"][0], action)
        case driver.OperationFailure() if error.code in (_AUTHENTICATION_FAILED, _UNAUTHORIZED):
            return AuthenticationFailed(message, hint="check the user and password of the URI")
        case driver.OperationFailure() if error.code == _INVALID:
            return _invalid(error.details or {}, action)
        case driver.OperationFailure() if error.code == _NO_CHANGE_STREAMS:
            return ConfigurationError(
                message,
                hint="run the server as a replica set of one: mongod --replSet rs0, then "
                "rs.initiate(); the embedded server is one",
            )
        case driver.ExecutionTimeout():
            return OperationTimeout(message)
        case driver.OperationFailure():
            return OperationFailed(message, code=error.code, hint=_HINTS.get(error.code or 0))
        case driver.NetworkTimeout() | driver.WTimeoutError():
            return OperationTimeout(message)
        case driver.ConnectionFailure():
            return ConnectionFailed(message, hint="is the server running and reachable?")
        case driver.ConfigurationError() | driver.InvalidName():
            return ConfigurationError(message)
        case _:
            return OperationFailed(message)


def _refused(details: Mapping[str, Any], action: str) -> LoomError:
    if details.get("code") == _DUPLICATE_KEY:
        return duplicate_key(details, action)
    if details.get("code") == _INVALID:
        return _invalid(details, action)
    return OperationFailed(f"{action}: {reason_of(details)}", code=details.get("code"))


def _invalid(details: Mapping[str, Any], action: str) -> OperationFailed:
    return OperationFailed(
        f"{action}: {refusal(details)}", code=_INVALID, hint=_HINTS.get(_INVALID)
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
