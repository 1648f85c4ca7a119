"""Changes of a change stream, a few at a time, and its cursors on the server."""

from __future__ import annotations

from typing import Any

from tests.aio.shop import User
from tests.cursors import open_cursors


async def taken(changes: Any, count: int) -> list[Any]:
    return [await anext(changes) for _ in range(count)]


async def operations(changes: Any, count: int) -> list[tuple[str, str | None]]:
    return [
        (change.operation, change.document and change.document.name)
        for change in await taken(changes, count)
    ]


async def cursors(client: Any, db: str) -> list[Any]:
    return await (await client.admin.aggregate(open_cursors(db))).to_list()


async def is_closed(client: Any, db: str) -> bool:
    tries = 0
    while tries < 500 and await cursors(client, db):
        tries += 1
    return tries < 500


async def token_now() -> str:
    """Return the resume token of a change stream that begins now."""
    async with User.watch() as changes:
        assert changes.token is not None
        return changes.token
