"""The errors after which a read is sent again, as the driver does for its own methods."""

from __future__ import annotations

from pymongo import errors as driver

from .server_codes import UNREACHED

# The driver has then sent even a plain command as often as its policy allows.
_OVERLOADED = "SystemOverloadedError"


def may_be_read_again(error: driver.PyMongoError) -> bool:
    """Say whether the error of a read is one that may be over (specification "Retryable Reads").

    Parameters:
        error: The driver's error.
    """
    if isinstance(error, driver.ServerSelectionTimeoutError) or error.has_error_label(_OVERLOADED):
        return False
    if isinstance(error, driver.OperationFailure):
        return error.code in UNREACHED
    return isinstance(error, driver.ConnectionFailure)
