"""What errors of the driver mean, where a server can hardly be made to raise them."""

from __future__ import annotations

import asyncio

import pytest
from pymongo import errors as driver

from loom_async._core import errors
from loom_async._core.driver_errors import is_refusal, translate

UNCONFIRMED = {"code": 64, "errmsg": "waiting timed out", "errInfo": {"wtimeout": True}}


def bulk(**details: object) -> driver.BulkWriteError:
    return driver.BulkWriteError({"writeErrors": [], "writeConcernErrors": [], **details})


@pytest.mark.parametrize(
    ("error", "kind", "word"),
    [
        (driver.WTimeoutError("waiting timed out", 64), errors.OperationTimeout, "waiting"),
        (bulk(writeConcernErrors=[UNCONFIRMED]), errors.OperationTimeout, "enough members"),
        (bulk(writeConcernErrors=[{"code": 91}]), errors.OperationFailed, "enough members"),
        (driver.WaitQueueTimeoutError("no connection"), errors.OperationTimeout, "maxPoolSize"),
        (driver.NetworkTimeout("timed out"), errors.OperationTimeout, "timed out"),
        (driver.OperationFailure("full", 14031), errors.OperationFailed, "disk is full"),
        (driver.AutoReconnect("closed"), errors.ConnectionFailed, "reachable"),
    ],
)
def test_errors(error: driver.PyMongoError, kind: type[errors.LoomError], word: str) -> None:
    translated = translate(error, "persist User")
    assert type(translated) is kind
    assert word in str(translated)


def test_what_the_driver_knows_of_its_servers_is_left_out() -> None:
    text = "refused, Timeout: 3.0s, Topology Description: <TopologyDescription id: 1>"
    error = translate(driver.ServerSelectionTimeoutError(text), "persist User")
    assert error.message == "persist User: refused, Timeout: 3.0s"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (driver.DuplicateKeyError("E11000"), True),
        (driver.ServerSelectionTimeoutError("nobody there"), True),
        (OverflowError("65 bits"), True),
        (driver.NetworkTimeout("timed out"), False),
        (driver.AutoReconnect("closed"), False),
        (driver.WTimeoutError("waiting timed out"), False),
        (driver.ExecutionTimeout("took too long"), False),
        (bulk(), False),
        (asyncio.CancelledError(), False),
        (KeyboardInterrupt(), False),
    ],
)
def test_what_has_certainly_not_happened(error: BaseException, expected: bool) -> None:
    assert is_refusal(error) is expected
