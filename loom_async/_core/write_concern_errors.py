"""The errors for writes that the primary made, but that too few members confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymongo.errors import AutoReconnect, ExecutionTimeout, WriteConcernError, WTimeoutError

from .server_codes import LEGACY_NOT_PRIMARY, STEPPING_DOWN, TIMEOUTS

# The server stopped being the primary while it waited for other members: the write may be undone.
_NOT_PRIMARY = STEPPING_DOWN | {LEGACY_NOT_PRIMARY}
#: The text that begins the error of such a write: it is stored, but may still be undone.
NOT_CONFIRMED = "made, not confirmed"


def unconfirmed(
    failure: Mapping[str, Any],
) -> AutoReconnect | ExecutionTimeout | WriteConcernError:
    """Return the driver's error for a write concern that was not met.

    Parameters:
        failure: The `writeConcernError` of the server's reply.
    """
    text, code = f"{NOT_CONFIRMED}: {failure.get('errmsg')}", failure.get("code")
    info: Mapping[str, Any] = failure.get("errInfo") or {}
    if code in _NOT_PRIMARY:
        return AutoReconnect(text)
    if code in TIMEOUTS:
        return ExecutionTimeout(text, code, failure)
    if failure.get("wtimeout") or info.get("wtimeout"):
        return WTimeoutError(text, code, failure)
    return WriteConcernError(text, code, failure)
