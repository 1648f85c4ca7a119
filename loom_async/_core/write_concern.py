"""What a server says of a write that it has made, and whose spreading it has not awaited."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymongo.errors import AutoReconnect, ExecutionTimeout, WriteConcernError, WTimeoutError

# Codes with which a server says that it stops being the primary while it waits for other members,
# which may undo the write (driver specification "Retryable Writes").
_LEAVING = frozenset({91, 189, 10058, 10107, 11600, 11602, 13435, 13436})
_MAX_TIME_EXPIRED = frozenset({50, 262})
#: What an error says of such a write: that it is there, and may yet be undone.
NOT_CONFIRMED = "made, not confirmed"


def unconfirmed(
    failure: Mapping[str, Any],
) -> AutoReconnect | ExecutionTimeout | WriteConcernError:
    """Return the driver's error for the `writeConcernError` of a reply.

    Parameters:
        failure: What the server says of the write.
    """
    text, code = f"{NOT_CONFIRMED}: {failure.get('errmsg')}", failure.get("code")
    info: Mapping[str, Any] = failure.get("errInfo") or {}
    if code in _LEAVING:
        return AutoReconnect(text)
    if code in _MAX_TIME_EXPIRED:
        return ExecutionTimeout(text, code, failure)
    if failure.get("wtimeout") or info.get("wtimeout"):
        return WTimeoutError(text, code, failure)
    return WriteConcernError(text, code, failure)
