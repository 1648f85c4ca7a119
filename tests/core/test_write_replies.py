"""Replies to write commands, and errors in place of a reply."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pymongo import errors as driver

from loom_async._core import server_codes, write_replies
from loom_async._core.write_replies import is_certain_refusal, was_not_sent

DUPLICATE: dict[str, Any] = {"index": 2, "code": server_codes.DUPLICATE_KEY, "errmsg": "E11000"}
RETRYABLE = {"errorLabels": ["RetryableWriteError"]}


def test_statements_by_position() -> None:
    assert write_replies.write_errors({"n": 1}) == {}
    assert write_replies.write_errors({"writeErrors": [DUPLICATE]}) == {2: DUPLICATE}
    assert write_replies.executed({"ok": 1}) == set()
    assert write_replies.executed({"retriedStmtIds": [0, 3]}) == {0, 3}


def test_the_error_of_a_statement() -> None:
    assert type(write_replies.statement_error(DUPLICATE)) is driver.DuplicateKeyError
    invalid = {"code": server_codes.DOCUMENT_VALIDATION_FAILURE, "errmsg": "invalid"}
    error = write_replies.statement_error(invalid)
    assert (type(error), error.code, error.details) == (driver.WriteError, 121, invalid)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (server_codes.IMMUTABLE_FIELD, True),
        (server_codes.SHARD_KEY_NOT_FOUND, True),
        (server_codes.DUPLICATE_KEY, False),
        (None, False),
    ],
)
def test_upserts_that_matched_no_document(code: int | None, expected: bool) -> None:
    assert write_replies.not_matched({"code": code}) is expected


def test_a_write_concern_that_was_not_met() -> None:
    assert write_replies.not_confirmed({"ok": 1}) is None
    failure = {"code": server_codes.SHUTDOWN_IN_PROGRESS, "errmsg": "it stops"}
    error = write_replies.not_confirmed({"writeConcernError": failure})
    assert isinstance(error, driver.AutoReconnect)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (driver.DuplicateKeyError("E11000"), True),
        (driver.ServerSelectionTimeoutError("no server"), True),
        (OverflowError("65 bits"), True),
        (driver.NetworkTimeout("timed out"), False),
        (driver.AutoReconnect("closed"), False),
        (driver.WTimeoutError("waiting timed out"), False),
        (driver.ExecutionTimeout("took too long"), False),
        (driver.BulkWriteError({"writeErrors": [], "writeConcernErrors": []}), False),
        (asyncio.CancelledError(), False),
        (KeyboardInterrupt(), False),
    ],
)
def test_errors_that_mean_that_nothing_was_written(error: BaseException, expected: bool) -> None:
    assert (was_not_sent(error) or is_certain_refusal(error)) is expected


@pytest.mark.parametrize("code", sorted(server_codes.INTERRUPTIONS))
def test_an_interrupted_statement_may_have_happened(code: int) -> None:
    assert not is_certain_refusal(driver.OperationFailure("interrupted", code))


@pytest.mark.parametrize("code", sorted(server_codes.COMMAND_REFUSALS))
def test_refused_commands(code: int) -> None:
    error = driver.OperationFailure("refused", code)
    assert write_replies.is_command_refusal(error)
    assert is_certain_refusal(error)
    assert not write_replies.is_command_refusal(driver.DuplicateKeyError("E11000", 11000))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (driver.AutoReconnect("closed"), True),
        (driver.NetworkTimeout("timed out"), True),
        (driver.OperationFailure("stepping down", 189, RETRYABLE), True),
        (driver.OperationFailure("refused", 13), False),
        (driver.ServerSelectionTimeoutError("no server"), False),
        (driver.ExecutionTimeout("took too long", 50), False),
    ],
)
def test_commands_that_are_sent_again(error: driver.PyMongoError, expected: bool) -> None:
    assert write_replies.may_be_sent_again(error) is expected
