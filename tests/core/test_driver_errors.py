"""Translations of driver errors that a server can hardly be made to raise."""

from __future__ import annotations

from typing import Any

import pytest
from bson.errors import InvalidBSON, InvalidDocument, InvalidStringData
from pymongo import errors as driver

from loom_async._core import errors
from loom_async._core.driver_errors import translate, translated
from loom_async._core.write_concern_errors import unconfirmed

UNCONFIRMED = {"code": 64, "errmsg": "waiting timed out", "errInfo": {"wtimeout": True}}


def bulk(**details: object) -> driver.BulkWriteError:
    return driver.BulkWriteError({"writeErrors": [], "writeConcernErrors": [], **details})


def write_concern_error(failure: dict[str, Any], *, wrapped: bool) -> driver.PyMongoError:
    """Return the error that the driver raises for a reply, of one write or of a bulk."""
    if wrapped:
        return bulk(writeConcernErrors=[failure])
    kind = driver.WTimeoutError if failure is UNCONFIRMED else driver.WriteConcernError
    return kind(failure["errmsg"], failure.get("code"), failure)


@pytest.mark.parametrize(
    ("error", "kind", "word"),
    [
        (driver.WaitQueueTimeoutError("no connection"), errors.OperationTimeout, "maxPoolSize"),
        (driver.NetworkTimeout("timed out"), errors.OperationTimeout, "timed out"),
        (driver.OperationFailure("full", 14031), errors.OperationFailed, "disk is full"),
        (driver.AutoReconnect("closed"), errors.ConnectionFailed, "reachable"),
    ],
)
def test_errors_without_a_server(
    error: driver.PyMongoError, kind: type[errors.LoomError], word: str
) -> None:
    translated = translate(error, "persist User")
    assert type(translated) is kind
    assert word in str(translated)


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (InvalidDocument("Invalid document: keys must not contain NUL"), errors.EncodingError, ""),
        # As older drivers word it, with the whole document in front.
        (
            InvalidDocument("Invalid document {'a': 1} | cannot encode object: 5"),
            errors.EncodingError,
            "save: cannot encode object: 5",
        ),
        (InvalidDocument("cannot encode object: " + "x" * 9999), errors.EncodingError, "xx…"),
        (InvalidStringData("not UTF-8"), errors.EncodingError, "save: not UTF-8"),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "bad"), errors.EncodingError, "save: 'utf-8'"),
        (OverflowError("8-byte ints"), errors.EncodingError, "save: 8-byte ints"),
        (driver.DocumentTooLarge("17 MB"), errors.OperationFailed, "save: 17 MB"),
        (InvalidBSON("year 10000"), errors.InvalidDocument, "year 10000"),
    ],
)
def test_errors_of_encoding_and_decoding(
    error: Exception, kind: type[errors.LoomError], text: str
) -> None:
    found = translated(error, "save")
    assert type(found) is kind
    assert text in found.message
    assert len(found.message) < 400
    assert "Invalid document" not in found.message
    assert getattr(found, "code", None) == (10334 if kind is errors.OperationFailed else None)


@pytest.mark.parametrize("error", [ValueError("x"), RuntimeError("x"), KeyError("x")])
def test_other_errors_are_not_translated(error: Exception) -> None:
    assert translated(error, "save") is None


@pytest.mark.parametrize("code", [91, 189, 10107, 11600, 11602])
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_primary_that_steps_down_before_it_confirms(code: int, wrapped: bool) -> None:
    failure = {"code": code, "errmsg": "it leaves", "errInfo": {"writeConcern": {}}}
    error = write_concern_error(failure, wrapped=wrapped)
    found = translate(error, "save")
    assert type(found) is errors.ConnectionFailed
    assert found.message == "save: made, not confirmed: it leaves"
    assert "may be undone" in str(found)


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (UNCONFIRMED, errors.OperationTimeout),
        ({"code": 50, "errmsg": "waiting timed out"}, errors.OperationTimeout),
        ({"code": 262, "errmsg": "waiting timed out"}, errors.OperationTimeout),
        ({"code": 100, "errmsg": "waiting timed out"}, errors.OperationFailed),
        ({"code": 11601, "errmsg": "waiting timed out", "errInfo": None}, errors.OperationFailed),
        ({"errmsg": "waiting timed out"}, errors.OperationFailed),
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_write_concerns_that_are_not_met(
    failure: dict[str, Any], kind: type[errors.LoomError], wrapped: bool
) -> None:
    found = translate(write_concern_error(failure, wrapped=wrapped), "save")
    assert type(found) is kind
    assert found.message == "save: made, not confirmed: waiting timed out"
    assert getattr(found, "code", failure.get("code")) == failure.get("code")
    # As the driver's own error for the same reply.
    assert type(translate(unconfirmed(failure), "save")) is kind
    assert translate(unconfirmed(failure), "save").message == found.message


def test_a_write_concern_error_without_details() -> None:
    found = translate(driver.WTimeoutError("waiting timed out", 64), "save")
    assert type(found) is errors.OperationTimeout
    assert found.message == "save: made, not confirmed: waiting timed out"


def test_the_topology_description_is_left_out() -> None:
    text = "refused, Timeout: 3.0s, Topology Description: <TopologyDescription id: 1>"
    error = translate(driver.ServerSelectionTimeoutError(text), "persist User")
    assert error.message == "persist User: refused, Timeout: 3.0s"
