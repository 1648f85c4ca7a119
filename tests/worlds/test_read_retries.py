"""A read is sent again once, exactly where the driver sends its own reads again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import loom_async as lm
from loom_async import fld
from loom_async.operations import read_commands
from tests.worlds.failing_server import DATABASE, Client


@lm.declare_persist_db("read_retries", "rows")
class Row(lm.PersistableBase):
    id: int  # type: ignore[assignment]


READS: dict[str, Callable[[], Awaitable[object]]] = {
    "load_one": lambda: Row.filter(fld["id"] == 1).load_one(),
    "load_many": lambda: Row.filter(fld["id"] < 4).load_many(),
    "aggregate": lambda: Row.filter().sample(3).load_docs(),
}
FAILURES: list[dict[str, Any]] = [
    {"closeConnection": True},
    *({"errorCode": code} for code in (6, 134, 262, 10107, 13, 50, 11601)),
]


async def attempts(client: Client, name: str, failure: dict[str, Any], times: int) -> Any:
    """Return how often a read that fails so many times is sent in vain, and its error."""
    data = {"failCommands": ["aggregate" if name == "aggregate" else "find"], **failure}
    point = {"configureFailPoint": "failCommand"}
    before = await client.admin.command({**point, "mode": {"times": times}, "data": data})
    error = None
    try:
        await READS[name]()
    except lm.LoomError as raised:
        error = type(raised)
    after = await client.admin.command({**point, "mode": "off"})
    return after["count"] - before["count"], error


@pytest.mark.parametrize("failure", FAILURES, ids=str)
async def test_reads_are_sent_again_as_those_of_the_driver(
    failing: Client, monkeypatch: pytest.MonkeyPatch, failure: dict[str, Any]
) -> None:
    await failing[DATABASE]["rows"].insert_many([{"_id": n} for n in range(5)])
    await Row.filter().count()
    found: list[dict[Any, Any]] = []
    for servers in (read_commands._ONE_SERVER, set[str]()):
        monkeypatch.setattr(read_commands, "_ONE_SERVER", servers)
        cases = [(name, times) for name in READS for times in (1, 2)]
        found.append({case: await attempts(failing, case[0], failure, case[1]) for case in cases})
    assert found[0] == found[1]
    assert all(sent >= 1 for sent, _ in found[0].values())


async def test_the_option_of_the_client_holds(failing_uri: str, failing: Client) -> None:
    async with lm.connect(failing_uri, retryReads=False):
        await Row.filter().count()
        for name in READS:
            sent, error = await attempts(failing, name, {"closeConnection": True}, 1)
            assert (sent, error) == (1, lm.ConnectionFailed)
