"""The debug log: a message for each operation, without values of documents."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any

import pandas as pd
import pytest

import loom_async as lm
from tests.worlds.task_models import Task, create, rename
from tests.worlds.test_grouping_faults import fail, failing, failing_uri

__all__ = ["failing", "failing_uri"]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, logger="loom")
    return caplog


async def test_single_and_grouped_operations(log: pytest.LogCaptureFixture, db: str) -> None:
    tasks = await create(text="secret")
    log.clear()
    await asyncio.gather(*rename(tasks, "secret too"))
    await asyncio.gather(*(Task.from_id(task.id) for task in tasks))
    messages = [re.sub(r"[\d.]+ ms", "… ms", record.getMessage()) for record in log.records]
    assert messages.count("persist Task: alone, … ms") == 8
    assert messages.count("persist Task: joined with 31, … ms") == 32
    assert messages.count("load Task: joined with 37, … ms") == 38
    assert len(messages) == 80
    assert not any("secret" in message or str(tasks[0].id) in message for message in messages)


async def test_each_operation_has_a_message(
    log: pytest.LogCaptureFixture, db: str, client: Any
) -> None:
    await Task.filter().count()  # sets up the collection
    log.clear()
    task = Task(name="one")
    await task.insert()
    async with lm.transaction():
        task.name = "two"
        await task.persist()
        await Task.filter().load_table()
    await Task.filter().load_many()
    await Task.filter().load_dataframe()
    await Task.insert_dataframe(pd.DataFrame({"name": ["three"]}))
    await Task.sync_indexes()
    await task.delete()
    messages = [record.getMessage().partition(":")[0] for record in log.records]
    assert messages == [
        *("insert Task", "begin a transaction", "persist Task", "load a table of Task"),
        *("load a table of Task", "commit a transaction", "load Task", "load a table of Task"),
        *("load a table of Task", "insert_dataframe of Task", "list the indexes of Task"),
        "delete Task",
    ]


async def test_retries_and_failures(log: pytest.LogCaptureFixture, failing: Any) -> None:
    (task,) = await create(1)
    log.clear()
    await fail(failing, "findAndModify", {"closeConnection": True})
    task.name = "new"
    await task.persist()
    await fail(failing, "find", {"errorCode": 2})
    with pytest.raises(Exception, match="load Task"):
        await Task.from_id(task.id)
    messages = [record.getMessage().rpartition(", ")[0] for record in log.records]
    assert messages == ["persist Task: repeated", "load Task: alone, OperationFailure"]
