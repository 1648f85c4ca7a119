# Generated from tests/aio/test_watch_servers.py by `nox -s sync`: edit that file.
"""Change streams of servers that lack them, have lost their history, or fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient

import loom_sync as lm
from tests.mongod import run_mongod


@lm.declare_persist_db("loom_watch", "rows")
class Row(lm.PersistableBase):
    number: int


@pytest.fixture(scope="module")
def failing_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_mongod(tmp_path_factory.mktemp("mongod"), replica_set="rs0") as uri:
        yield uri


@pytest.fixture
def failing(failing_uri: str) -> Iterator[MongoClient[dict[str, Any]]]:
    with lm.connect(failing_uri) as client:
        yield client
        client.admin.command("configureFailPoint", "failCommand", mode="off")
        client.drop_database("loom_watch")


def fail(client: Any, commands: list[str], code: int, times: int, *labels: str) -> None:
    client.admin.command(
        "configureFailPoint",
        "failCommand",
        mode={"times": times},
        data={"failCommands": commands, "errorCode": code, "errorLabels": list(labels)},
    )


def test_a_token_that_the_oplog_no_longer_has(failing: Any) -> None:
    with Row.watch() as changes:
        Row(number=1).persist()
        token = next(changes).token
    fail(failing, ["aggregate"], 286, 1)
    with pytest.raises(lm.OperationFailed, match="load the documents again") as caught:
        with Row.watch(resume_after=token):
            pass
    assert caught.value.code == 286
    with Row.watch(resume_after=token) as changes:
        fail(failing, ["getMore"], 286, 1)
        with pytest.raises(lm.OperationFailed, match="load the documents again"):
            next(changes)
        assert next(changes, None) is None


def test_temporary_errors_are_retried(failing: Any) -> None:
    with Row.watch() as changes:
        for n in range(3):
            fail(failing, ["getMore", "aggregate"], 11601, 4 + n, "ResumableChangeStreamError")
            Row(number=n).persist()
            change = next(changes)
            assert change.document is not None
            assert change.document.number == n


def test_other_errors_are_raised_at_once(failing: Any) -> None:
    with Row.watch() as changes:
        fail(failing, ["getMore"], 13, 1)
        with pytest.raises(lm.AuthenticationFailed, match="watch Row: "):
            next(changes)


def test_a_standalone_server(tmp_path: Any) -> None:
    with run_mongod(tmp_path, replica_set=None) as uri, lm.connect(uri):
        with pytest.raises(lm.ConfigurationError, match="replica set of one"):
            with Row.watch():
                pass
