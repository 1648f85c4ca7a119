"""The log says what each operation did, and holds no value."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any

import pytest

from .many_tasks import Task, make, rename
from .test_grouping_faults import fail, failing, failing_uri

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
