"""The ways in which many objects of one model are saved."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import loom_async as lm
from tests.aio._concurrency import gathered

Save = Callable[[Sequence[lm.PersistableBase]], Awaitable[Any]]


async def one_by_one(objects: Sequence[lm.PersistableBase]) -> None:
    """Persist each object."""
    for document in objects:
        await document.persist()


async def in_tasks(objects: Sequence[lm.PersistableBase]) -> None:
    """Persist all objects at once: their updates are batched. Raise the first error at the end."""

    def call_for(document: lm.PersistableBase) -> Callable[[], Awaitable[lm.LoomError | None]]:
        async def call() -> lm.LoomError | None:
            try:
                await document.persist()
            except lm.LoomError as error:
                return error
            return None

        return call

    for error in await gathered(*map(call_for, objects)):
        if error is not None:
            raise error


async def in_bulk(objects: Sequence[lm.PersistableBase]) -> None:
    """Persist all objects by one call."""
    await type(objects[0]).persist_many(objects)


async def in_order(objects: Sequence[lm.PersistableBase]) -> None:
    """Persist all objects by one call, in their order."""
    await type(objects[0]).persist_many(objects, ordered=True)


async def in_a_transaction(objects: Sequence[lm.PersistableBase]) -> None:
    """Persist each object in one transaction."""
    async with lm.transaction():
        await one_by_one(objects)


async def in_bulk_in_a_transaction(objects: Sequence[lm.PersistableBase]) -> None:
    """Persist all objects by one call in a transaction."""
    async with lm.transaction():
        await in_bulk(objects)


WAYS: Sequence[Save] = (
    one_by_one,
    in_tasks,
    in_bulk,
    in_order,
    in_a_transaction,
    in_bulk_in_a_transaction,
)
