"""The errors for embedded servers that do not start."""

import json
from pathlib import Path

import pytest

from loom_async._core.mongod.data_directory import DataDirectory
from loom_async._core.mongod.start_errors import hint_for, log_size, start_failure, unexplained


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("WiredTiger error: [28] No space left on device", "disk is full"),
        ("DBPathInUse: Unable to lock the lock file", "another mongod"),
        ("UPGRADE PROBLEM: Found an invalid featureCompatibilityVersion document", "version"),
        ("No locks available", "local disk"),
        ("Read-only file system", "readable and writable"),
    ],
)
def test_known_reasons_have_a_hint(reason: str, hint: str) -> None:
    assert hint in (hint_for([reason]) or "")


def test_only_the_errors_of_the_last_start_count(tmp_path: Path) -> None:
    directory = DataDirectory.at(tmp_path / "data")
    assert log_size(directory.log) == 0
    former = {"s": "E", "msg": "Former", "attr": {"error": "disk on fire"}}
    directory.log.write_text(f"{json.dumps(former)}\n")
    log_from = log_size(directory.log)
    with directory.log.open("a") as log:
        log.write('cut off"}\nplain text of a crash\n')
        log.write(json.dumps({"s": "I", "msg": "Starting"}) + "\n")
        log.write(json.dumps({"s": "F", "msg": "Failed", "attr": {"reason": "Permission denied"}}))
    error = start_failure(directory, tmp_path / "mongod", log_from)
    assert error is not None
    assert error.message == "the embedded server did not start: Failed: Permission denied"
    assert "readable and writable" in (error.hint or "")


def test_a_port_that_was_taken_allows_another_start(tmp_path: Path) -> None:
    directory = DataDirectory.at(tmp_path / "data")
    entry = {"s": "E", "msg": "Error", "attr": {"error": "Address already in use"}}
    directory.log.write_text(json.dumps(entry))
    assert start_failure(directory, tmp_path / "mongod", 0) is None


def test_a_server_without_a_reason(tmp_path: Path) -> None:
    directory = DataDirectory.at(tmp_path / "data")
    assert "it gave no reason" in unexplained(directory).message
    directory.output.write_text('{"msg": "ordinary"}\nmongod ended with status -9\n')
    assert unexplained(directory).message.endswith("started: mongod ended with status -9")
