"""Commands that the server refuses as a whole: every call raises the same error."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConfigurationError

import loom_async as lm
from tests.worlds.failing_server import DATABASE, Client, fail


@lm.declare_persist_db(DATABASE, "refused")
class Row(lm.PersistableBase):
    number: int = 0


async def _persist(rows: list[Row]) -> None:
    await rows[0].persist()


async def _persist_many(rows: list[Row]) -> None:
    await Row.persist_many(rows)


async def _insert_frame(rows: list[Row], on_error: Any = "skip") -> None:
    await Row.insert_dataframe(pd.DataFrame({"number": range(len(rows))}), on_error=on_error)


async def _update_frame(rows: list[Row]) -> None:
    frame = pd.DataFrame({"id": [row.id for row in rows], "number": 7})
    await Row.update_dataframe(frame, on=["id"], on_error="skip")


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("call", [_persist, _persist_many, _insert_frame, _update_frame])
async def test_missing_privileges(failing: Client, call: Any, count: int) -> None:
    await Row.filter().count()
    rows = [Row(number=n) for n in range(count)]
    name = "update" if call is _update_frame else "insert"
    await fail(failing, name, {"errorCode": 13}, 1)
    with pytest.raises(lm.AuthenticationFailed) as caught:
        await call(rows)
    assert "clusterTime" not in str(caught.value)
    assert await failing[DATABASE]["refused"].count_documents({}) == 0
    await _persist_many(rows)  # the refused write was not made, so they are stored once
    assert await failing[DATABASE]["refused"].count_documents({}) == count


@pytest.mark.parametrize("call", [_persist, _persist_many, _insert_frame])
async def test_a_stopping_server_that_does_not_announce_sessions(
    failing: Client, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver refuses to use a session then; the unsent command goes to the next server."""
    await Row.filter().delete()
    run, remaining = AsyncDatabase.command, 3

    async def refuse(database: Any, command: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal remaining
        if "insert" in command and remaining:
            remaining -= 1
            raise ConfigurationError("Sessions are not supported by this MongoDB deployment")
        return await run(database, command, *arguments, **options)

    monkeypatch.setattr(AsyncDatabase, "command", refuse)
    await call([Row()])
    assert remaining == 0
    assert await failing[DATABASE]["refused"].count_documents({}) == 1
    remaining = 1_000_000
    with lm.config_context(server_timeout=0.2), pytest.raises(lm.ConnectionFailed):
        await call([Row()])
