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
)
from .uri import redacted

_AUTHENTICATION_FAILED, _UNAUTHORIZED = 18, 13
_PATH_NOT_VIABLE, _BAD_VALUE = 28, 2
_HINTS = {
    _PATH_NOT_VIABLE: "another writer changed the parent of this field; reload and try again",
    121: "the document does not pass the collection's validator",
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
        if isinstance(error, driver.PyMongoError):
            raise translate(error, self._action) from error
        if isinstance(error, OverflowError):
            raise EncodingError(
                f"{self._action}: {error}", path="", hint="MongoDB holds integers of 64 bits"
            ) from error


def translate(error: driver.PyMongoError, action: str) -> LoomError:
    """Return the Loom error that says what a driver error means."""
    text = redacted(str(error).split(", full error:")[0])
    message = f"{action}: {text}"
    match error:
        case driver.DuplicateKeyError():
            return duplicate_key(error.details or {}, action)
        case driver.OperationFailure() if error.code in (_AUTHENTICATION_FAILED, _UNAUTHORIZED):
            return AuthenticationFailed(message, hint="check the user and password of the URI")
        case driver.ExecutionTimeout():
            return OperationTimeout(message)
        case driver.OperationFailure():
            return OperationFailed(message, code=error.code, hint=_HINTS.get(error.code or 0))
        case driver.NetworkTimeout() | driver.WTimeoutError():
            return OperationTimeout(message)
        case driver.ConnectionFailure():
            return ConnectionFailed(message, hint="is the server running and reachable?")
        case driver.ConfigurationError():
            return ConfigurationError(message)
        case driver.InvalidName():
            return ConfigurationError(message)
        case _:
            return OperationFailed(message)


def duplicate_key(details: Mapping[str, Any], action: str) -> DuplicateKey:
    """Return the error for a write that a unique index refused."""
    key = dict(details.get("keyValue") or {})
    fields = ", ".join(f"{name}={value!r}" for name, value in key.items())
    return DuplicateKey(
        f"{action}: there is already a document with {fields or details.get('errmsg', 'this key')}",
        key=key,
        hint="the fields form a unique index",
    )
