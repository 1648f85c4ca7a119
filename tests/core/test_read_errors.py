"""The errors after which a read is sent again are those of the driver."""

from __future__ import annotations

import pytest
from pymongo import errors, helpers_shared

from loom_async._core.read_errors import may_be_read_again
from loom_async._core.server_codes import UNREACHED


def test_the_codes_are_those_of_the_driver() -> None:
    assert UNREACHED == helpers_shared._RETRYABLE_ERROR_CODES


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.AutoReconnect("lost"), True),
        (errors.NetworkTimeout("late"), True),
        (errors.NotPrimaryError("no primary"), True),
        (errors.WaitQueueTimeoutError("busy"), True),
        (errors.ServerSelectionTimeoutError("none"), False),
        (errors.OperationFailure("no", 262), True),
        (errors.OperationFailure("no", 13), False),
        (errors.OperationFailure("no"), False),
        (errors.ConfigurationError("wrong"), False),
    ],
)
def test_errors_of_reads(error: errors.PyMongoError, expected: bool) -> None:
    assert may_be_read_again(error) is expected
    error._add_error_label("SystemOverloadedError")
    assert not may_be_read_again(error)
