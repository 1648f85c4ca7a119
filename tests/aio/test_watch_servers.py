"""Change streams of servers that lack them, have lost their history, or fail."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient

import loom_async as lm
from tests.mongod import run_mongod


@lm.declare_persist_db("loom_watch", "rows")
class Row(lm.PersistableBase):
    number: int


@pytest.fixture(scope="module")
def failing_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_mongod(tmp_path_factory.mktemp("mongod"), replica_set="rs0") as uri:
        yield uri


@pytest.fixture
async def failing(failing_uri: str) -> AsyncIterator[AsyncMongoClient[dict[str, Any]]]:
    async with lm.connect(failing_uri) as client:
        yield client
        await client.admin.command("configureFailPoint", "failCommand", mode="off")
        await client.drop_database("loom_watch")


async def fail(client: Any, commands: list[str], code: int, times: int, *labels: str) -> None:
    await client.admin.command(
        "configureFailPoint",
        "failCommand",
        mode={"times": times},
        data={"failCommands": commands, "errorCode": code, "errorLabels": list(labels)},
    )


async def test_a_token_that_the_oplog_no_longer_has(failing: Any) -> None:
    async with Row.watch() as changes:
        await Row(number=1).persist()
        token = (await anext(changes)).token
    await fail(failing, ["aggregate"], 286, 1)
    with pytest.raises(lm.OperationFailed, match="load the documents again") as caught:
        async with Row.watch(resume_after=token):
            pass
    assert caught.value.code == 286
    async with Row.watch(resume_after=token) as changes:
        await fail(failing, ["getMore"], 286, 1)
        with pytest.raises(lm.OperationFailed, match="load the documents again"):
            await anext(changes)
        assert await anext(changes, None) is None


async def test_temporary_errors_are_retried(failing: Any) -> None:
    async with Row.watch() as changes:
        for n in range(3):
            await fail(
                failing, ["getMore", "aggregate"], 11601, 4 + n, "ResumableChangeStreamError"
            )
            await Row(number=n).persist()
            change = await anext(changes)
            assert change.document is not None
            assert change.document.number == n


async def test_other_errors_are_raised_at_once(failing: Any) -> None:
    async with Row.watch() as changes:
        await fail(failing, ["getMore"], 13, 1)
        with pytest.raises(lm.AuthenticationFailed, match="watch Row: "):
            await anext(changes)


async def test_a_standalone_server(tmp_path: Any) -> None:
    with run_mongod(tmp_path, replica_set=None) as uri:
        async with lm.connect(uri):
            with pytest.raises(lm.ConfigurationError, match="replica set of one"):
                async with Row.watch():
                    pass
