"""What a change stream gives, a few changes at a time."""

from __future__ import annotations

from typing import Any


async def taken(changes: Any, count: int) -> list[Any]:
    return [await anext(changes) for _ in range(count)]


async def operations(changes: Any, count: int) -> list[tuple[str, str | None]]:
    return [
        (change.operation, change.document and change.document.name)
        for change in await taken(changes, count)
    ]
