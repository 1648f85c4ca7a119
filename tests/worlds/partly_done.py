"""A server that fails in the middle of a command when it is told to."""

from __future__ import annotations

import asyncio
from typing import Any

from pymongo import AsyncMongoClient

DATABASE = "partly_done"

Client = AsyncMongoClient[dict[str, Any]]

#: Where the server can be told to stop in the middle of a command.
POINTS = {"update": "hangDuringBatchUpdate", "insert": "hangDuringBatchInsert"}
#: After 2,000 documents: it takes updates one by one, and inserts by five hundred.
_SKIP = {"update": 2_000, "insert": 4}


async def kill_in_the_middle(client: Client, command: str, skip: int = 0) -> None:
    """End a command of a kind, by killOp, when a part of the documents is written."""
    point = POINTS[command]
    data = {"shouldCheckForInterrupt": True}
    mode = {"skip": skip or _SKIP[command]}
    await client.admin.command("configureFailPoint", point, mode=mode, data=data)
    operation = await _hanging(client, point)
    await client.admin.command("killOp", op=operation)
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
