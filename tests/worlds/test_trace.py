"""The log says what each operation did, and holds no value."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any

import pandas as pd
import pytest

import loom_async as lm
from tests.worlds.many_tasks import Task, make, rename
from tests.worlds.test_grouping_faults import fail, failing, failing_uri

__all__ = ["failing", "failing_uri"]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, logger="loom")
    return caplog


async def test_alone_and_joined(lines: pytest.LogCaptureFixture, db: str) -> None:
    tasks = await make(text="secret")
    lines.clear()
    await asyncio.gather(*rename(tasks, "secret too"))
    await asyncio.gather(*(Task.from_id(task.id) for task in tasks))
    told = [re.sub(r"[\d.]+ ms", "… ms", record.getMessage()) for record in lines.records]
    assert told.count("persist Task: alone, … ms") == 8
    assert told.count("persist Task: joined with 31, … ms") == 32
    assert told.count("load Task: joined with 37, … ms") == 38
    assert len(told) == 80
    assert not any("secret" in line or str(tasks[0].id) in line for line in told)


async def test_every_operation_has_a_line(
    lines: pytest.LogCaptureFixture, db: str, client: Any
) -> None:
    await Task.filter().count()  # makes the collection ready
    lines.clear()
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
    told = [record.getMessage().partition(":")[0] for record in lines.records]
    assert told == [
        *("insert Task", "begin a transaction", "persist Task", "load a table of Task"),
        *("load a table of Task", "commit a transaction", "load Task", "load a table of Task"),
        *("insert_dataframe of Task", "list the indexes of Task", "delete Task"),
    ]


async def test_repeated_and_failed(lines: pytest.LogCaptureFixture, failing: Any) -> None:
    (task,) = await make(1)
    lines.clear()
    await fail(failing, "findAndModify", {"closeConnection": True})
    task.name = "new"
    await task.persist()
    await fail(failing, "find", {"errorCode": 2})
    with pytest.raises(Exception, match="load Task"):
        await Task.from_id(task.id)
    told = [record.getMessage().rpartition(", ")[0] for record in lines.records]
    assert told == ["persist Task: repeated", "load Task: alone, OperationFailure"]
