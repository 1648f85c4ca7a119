"""A save that arrives late, or is sent once more, sets nothing over a later one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

import loom_async as lm
from tests.worlds.giving_up import (
    by_a_cancel_every_turn,
    by_a_scope,
    by_one_cancel,
    by_two_timeouts,
    given_up,
)
from tests.worlds.losing import Call, Line, connected, line_to, wait_until
from tests.worlds.many_tasks import Task, make

DATABASE = "worlds_late_saves"
#: Enough for the calls to be joined.
_MANY = 20
#: The server tries a write that has to wait again and again, and ever more seldom.
_SECONDS = 0.6
_WAYS = [by_one_cancel, by_a_cancel_every_turn, by_two_timeouts]


@lm.declare_persist_db("worlds", "switches")
class Switch(lm.Persistable):
    mark: str = ""
    is_on: bool = False
    count: lm.IncrCounter = 0


@pytest.fixture
async def line(mongo_uri: str) -> AsyncIterator[Line]:
    async with line_to(mongo_uri, DATABASE) as opened:
        yield opened


@asynccontextmanager
async def held(line: Line, documents: Sequence[Switch], *, keep: bool) -> AsyncIterator[None]:
    """Have the transaction of another client hold documents until the block ends."""
    async with line.direct.start_session() as session:
        await session.start_transaction()
        switches = line.direct[DATABASE]["switches"]
        ids = {"$in": [document.id for document in documents]}
        await switches.update_many({"_id": ids}, {"$set": {"mark": "theirs"}}, session=session)
        try:
            yield
        finally:
            await (session.commit_transaction if keep else session.abort_transaction)()


async def waits(line: Line) -> bool:
    """Say whether the server has a write that waits for another."""
    match = {"ns": f"{DATABASE}.switches", "writeConflicts": {"$gt": 0}}
    pipeline = [{"$currentOp": {"allUsers": True}}, {"$match": match}]
    cursor = await line.direct.admin.aggregate(pipeline)
    return bool(await cursor.to_list())


def saving(documents: Sequence[Switch], store: str) -> Call:
    """Return the call that stores all, of which the first is held."""

    async def save_all() -> Any:
        return await asyncio.gather(*(document.persist() for document in documents))

    async def save_many() -> Any:
        return await Switch.persist_many(documents)

    return save_many if store == "many" else save_all


_KEPT = [(store, way, True) for store in ("single", "joined", "many") for way in _WAYS]
_UNDONE = [(store, by_a_scope, False) for store in ("single", "joined", "many")]


@pytest.mark.parametrize(("store", "way", "keep"), _KEPT + _UNDONE)
async def test_a_cancelled_save_that_had_to_wait(
    line: Line, store: str, way: Any, keep: bool
) -> None:
    """It was cancelled while another client's transaction held its document."""
    with lm.config_context(grouping=store == "joined"):
        async with connected(line, _MANY if store == "single" else 1):
            switches = [Switch(is_on=False) for _ in range(_MANY)]
            await Switch.persist_many(switches)
            # Where few go each by itself, the last one is joined with others.
            chosen = switches if store == "single" else switches[-1:]
            for switch in switches:
                switch.is_on = True
            async with held(line, chosen, keep=keep):
                giving = asyncio.create_task(given_up(way, saving(switches, store), _SECONDS))
                await wait_until(lambda: waits(line))
                await giving
                again = [asyncio.create_task(on_and_off(switch)) for switch in chosen]
                await asyncio.sleep(0.02)
            assert all(await asyncio.gather(*again))
            await asyncio.sleep(0.1)
            query = {"_id": {"$in": [switch.id for switch in chosen]}}
            stored = await line.direct[DATABASE]["switches"].find(query).to_list()
            theirs = "theirs" if keep else ""
            found = [(one["is_on"], one["count"], one["mark"]) for one in stored]
            assert found == [(False, 1, theirs)] * len(chosen)


async def on_and_off(switch: Switch) -> bool:
    """Store a flag on, then off; return whether the second has written something."""
    switch.is_on = True
    await switch.persist()
    switch.is_on = False
    switch.count += 1
    return await switch.persist()


@pytest.mark.parametrize("store", ["single", "joined", "many"])
async def test_a_repeated_save_sets_nothing_over_another_one(line: Line, store: str) -> None:
    """The reply was lost, and another client has written before the save is sent once more."""
    with lm.config_context(grouping=store == "joined", server_timeout=5.0):
        async with connected(line, _MANY, serverSelectionTimeoutMS=5_000):
            switches = [Switch() for _ in range(_MANY)]
            await Switch.persist_many(switches)
            raw = line.direct[DATABASE]["switches"]
            for switch in switches:
                switch.is_on = True
                switch.mark = "mine"

            async def are_stored() -> bool:
                return await raw.count_documents({"mark": "mine"}) == _MANY

            line.proxy.hold_replies()
            save = asyncio.create_task(saving(switches, store)())
            await wait_until(are_stored)
            await raw.update_many({}, {"$set": {"is_on": False}})
            line.proxy.cut()
            line.proxy.mend()
            line.proxy.thaw()
            # It has happened before the other write: that is no failure of it.
            assert await save
            assert await raw.count_documents({"is_on": False}) == _MANY
            for switch in switches:
                await switch.persist()
            assert await raw.count_documents({"is_on": False}) == _MANY


@pytest.mark.parametrize("turns", range(8))
async def test_a_joined_save_is_cancelled_at_any_turn(db: str, turns: int) -> None:
    """Whether it is sent or not, the object knows: what is set back is set back."""
    tasks = await make(30, name="old")
    for task in tasks:
        task.name = "new"
    saves = [asyncio.create_task(task.persist()) for task in tasks]
    for _ in range(turns):
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
