"""A server that fails in the middle of a command when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from pymongo import AsyncMongoClient

DATABASE = "partly_done"

Client = AsyncMongoClient[dict[str, Any]]

#: Where the server can be told to stop in the middle of a command.
POINTS = {"update": "hangDuringBatchUpdate", "insert": "hangDuringBatchInsert"}
#: After 2,000 documents: it takes updates one by one, and inserts by five hundred.
_SKIP = {"update": 2_000, "insert": 4}


async def killed_in_the_middle(
    client: Client, command: str, call: Awaitable[Any], skip: int = 0
) -> Any:
    """End a command of a kind, by killOp, when a part of the documents is written.

    Returns:
        The result of the call that sends it, or its error.
    """
    point = POINTS[command]
    mode = {"skip": skip or _SKIP[command]}
    data = {"shouldCheckForInterrupt": True}
    await client.admin.command("configureFailPoint", point, mode=mode, data=data)
    result, _ = await asyncio.gather(call, _kill_what_hangs(client, point), return_exceptions=True)
    return result


async def _kill_what_hangs(client: Client, point: str) -> None:
    async with asyncio.timeout(60):
        await client.admin.command("killOp", op=await _hanging(client, point))
        await client.admin.command("configureFailPoint", point, mode="off")


async def _hanging(client: Client, point: str) -> Any:
    while True:
        pipeline = [{"$currentOp": {"allUsers": True}}, {"$match": {"failpointMsg": point}}]
        found = await (await client.admin.aggregate(pipeline)).to_list()
        if found:
            return found[0]["opid"]
        await asyncio.sleep(0.01)


async def fail(client: Client, command: str, failure: dict[str, Any], times: int) -> None:
    data = {"failCommands": [command], **failure}
    await client.admin.command(
        "configureFailPoint", "failCommand", mode={"times": times}, data=data
    )
