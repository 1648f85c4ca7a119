"""Saves that arrive late or are retried: they do not overwrite later saves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

import loom_async as lm
from tests.worlds.cancellation import (
    cancel_by_scope,
    cancel_by_two_timeouts,
    cancel_every_iteration,
    cancel_once,
    run_and_cancel,
)
from tests.worlds.lost_replies import Call, Connection, connected, open_connection, wait_until
from tests.worlds.task_models import Task, create

DATABASE = "worlds_late_saves"
#: Enough calls to be grouped.
_MANY = 20
#: Seconds until a save is cancelled: the server retries a blocked write at growing intervals.
_SECONDS = 0.6
_CANCELLERS = [cancel_once, cancel_every_iteration, cancel_by_two_timeouts]


@lm.declare_persist_db("worlds", "switches")
class Switch(lm.Persistable):
    mark: str = ""
    is_on: bool = False
    count: lm.IncrCounter = 0


@pytest.fixture
async def connection(mongo_uri: str) -> AsyncIterator[Connection]:
    async with open_connection(mongo_uri, DATABASE) as opened:
        yield opened


@asynccontextmanager
async def locked(
    connection: Connection, documents: Sequence[Switch], *, commit: bool
) -> AsyncIterator[None]:
    """Lock documents by a transaction of another client until the block ends."""
    async with connection.direct.start_session() as session:
        await session.start_transaction()
        switches = connection.direct[DATABASE]["switches"]
        ids = {"$in": [document.id for document in documents]}
        await switches.update_many({"_id": ids}, {"$set": {"mark": "theirs"}}, session=session)
        try:
            yield
        finally:
            await (session.commit_transaction if commit else session.abort_transaction)()


async def has_waiting_write(connection: Connection) -> bool:
    """Return whether a write on the server waits for a transaction."""
    match = {"ns": f"{DATABASE}.switches", "writeConflicts": {"$gt": 0}}
    pipeline = [{"$currentOp": {"allUsers": True}}, {"$match": match}]
    cursor = await connection.direct.admin.aggregate(pipeline)
    return bool(await cursor.to_list())


def save_call(documents: Sequence[Switch], store: str) -> Call:
    """Return the call that stores all documents."""

    async def save_all() -> Any:
        return await asyncio.gather(*(document.persist() for document in documents))

    async def save_many() -> Any:
        return await Switch.persist_many(documents)

    return save_many if store == "many" else save_all


_COMMITTED = [
    (store, canceller, True) for store in ("single", "grouped", "many") for canceller in _CANCELLERS
]
_ABORTED = [(store, cancel_by_scope, False) for store in ("single", "grouped", "many")]


@pytest.mark.parametrize(("store", "canceller", "commit"), _COMMITTED + _ABORTED)
async def test_a_cancelled_save_that_waited_for_a_transaction(
    connection: Connection, store: str, canceller: Any, commit: bool
) -> None:
    """It is cancelled while the transaction of another client has locked its document."""
    with lm.config_context(grouping=store == "grouped"):
        async with connected(connection, _MANY if store == "single" else 1):
            switches = [Switch(is_on=False) for _ in range(_MANY)]
            await Switch.persist_many(switches)
            # The first calls of an iteration are sent alone; the last one is grouped.
            saved = switches if store == "single" else switches[-1:]
            for switch in switches:
                switch.is_on = True
            async with locked(connection, saved, commit=commit):
                cancelling = asyncio.create_task(
                    run_and_cancel(canceller, save_call(switches, store), _SECONDS)
                )
                await wait_until(lambda: has_waiting_write(connection))
                await cancelling
                again = [asyncio.create_task(turn_on_and_off(switch)) for switch in saved]
                await asyncio.sleep(0.02)
            assert all(await asyncio.gather(*again))
            await asyncio.sleep(0.1)
            query = {"_id": {"$in": [switch.id for switch in saved]}}
            stored = await connection.direct[DATABASE]["switches"].find(query).to_list()
            theirs = "theirs" if commit else ""
            found = [(one["is_on"], one["count"], one["mark"]) for one in stored]
            assert found == [(False, 1, theirs)] * len(saved)


async def turn_on_and_off(switch: Switch) -> bool:
    """Store a flag as on, then as off; return whether the second save has written."""
    switch.is_on = True
    await switch.persist()
    switch.is_on = False
    switch.count += 1
    return await switch.persist()


@pytest.mark.parametrize("store", ["single", "grouped", "many"])
async def test_a_retried_save_does_not_overwrite_another_client(
    connection: Connection, store: str
) -> None:
    """The reply was lost, and another client has written before the save is retried."""
    with lm.config_context(grouping=store == "grouped", server_timeout=5.0):
        async with connected(connection, _MANY, serverSelectionTimeoutMS=5_000):
            switches = [Switch() for _ in range(_MANY)]
            await Switch.persist_many(switches)
            raw = connection.direct[DATABASE]["switches"]
            for switch in switches:
                switch.is_on = True
                switch.mark = "mine"

            async def are_stored() -> bool:
                return await raw.count_documents({"mark": "mine"}) == _MANY

            connection.proxy.hold_replies()
            save = asyncio.create_task(save_call(switches, store)())
            await wait_until(are_stored)
            await raw.update_many({}, {"$set": {"is_on": False}})
            connection.proxy.cut()
            connection.proxy.restore()
            connection.proxy.thaw()
            # The save was executed before the other write, so it has succeeded.
            assert await save
            assert await raw.count_documents({"is_on": False}) == _MANY
            for switch in switches:
                await switch.persist()
            assert await raw.count_documents({"is_on": False}) == _MANY


@pytest.mark.parametrize("iterations", range(8))
async def test_a_grouped_save_is_cancelled_at_any_iteration(db: str, iterations: int) -> None:
    """Whether it was sent or not, a later save restores the old value."""
    tasks = await create(30, name="old")
    for task in tasks:
        task.name = "new"
    saves = [asyncio.create_task(task.persist()) for task in tasks]
    for _ in range(iterations):
        await asyncio.sleep(0)
    for save in saves[::3]:
        save.cancel()
    await asyncio.wait(saves)
    for task in tasks[::3]:
        task.name = "old"
        await task.persist()
    stored = {task.id: task.name for task in await Task.filter().load_many()}
    names = ["old" if n % 3 == 0 else "new" for n in range(30)]
    assert [task.name for task in tasks] == names
    assert [stored[task.id] for task in tasks] == names
