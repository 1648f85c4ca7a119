"""Fail points: a server that fails a command, or stops in the middle of one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from pymongo import AsyncMongoClient

DATABASE = "failing_server"

Client = AsyncMongoClient[dict[str, Any]]

#: The fail points at which the server hangs in the middle of a command.
FAIL_POINTS = {"update": "hangDuringBatchUpdate", "insert": "hangDuringBatchInsert"}
#: How often a fail point is passed before the server hangs: after 2,000 documents, since it
#: updates one document at a time and inserts 500.
_SKIP = {"update": 2_000, "insert": 4}


async def kill_in_the_middle(
    client: Client, command: str, call: Awaitable[Any], skip: int = 0
) -> Any:
    """End a command by killOp when some of its documents are written.

    Returns:
        The result of the call that sends the command, or its error.
    """
    point = FAIL_POINTS[command]
    mode = {"skip": skip or _SKIP[command]}
    data = {"shouldCheckForInterrupt": True}
    await client.admin.command("configureFailPoint", point, mode=mode, data=data)
    result, _ = await asyncio.gather(call, _kill_hanging(client, point), return_exceptions=True)
    return result


async def _kill_hanging(client: Client, point: str) -> None:
    async with asyncio.timeout(60):
        await client.admin.command("killOp", op=await _hanging_operation(client, point))
        await client.admin.command("configureFailPoint", point, mode="off")


async def _hanging_operation(client: Client, point: str) -> Any:
    while True:
        pipeline = [{"$currentOp": {"allUsers": True}}, {"$match": {"failpointMsg": point}}]
        found = await (await client.admin.aggregate(pipeline)).to_list()
        if found:
            return found[0]["opid"]
        await asyncio.sleep(0.01)


async def fail(client: Client, command: str, failure: dict[str, Any], times: int) -> None:
    """Have a command fail a number of times, by the fail point `failCommand`."""
    data = {"failCommands": [command], **failure}
    await client.admin.command(
        "configureFailPoint", "failCommand", mode={"times": times}, data=data
    )
