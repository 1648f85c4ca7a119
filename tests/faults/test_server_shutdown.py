"""A server shuts down while it writes: unconfirmed writes raise ConnectionFailed."""

from __future__ import annotations

import signal
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any

import pandas as pd
import pytest
from bson import ObjectId

import loom_async as lm
from loom_async import _concurrency
from tests.aio._concurrency import gathered
from tests.faults.replica_set import Member, temporary_folder, until

WRITERS = 30


@lm.declare_persist_db("faults", "marks")
class Mark(lm.PersistableBase):
    writer: int = 0


@pytest.fixture
def server() -> Iterator[Member]:
    """A replica set of one member."""
    with temporary_folder() as folder:
        member = Member(folder, "--replSet", "shutdown")
        try:
            member.start()
            config = {"_id": "shutdown", "members": [{"_id": 0, "host": member.address}]}
            until(lambda: bool(member.command("replSetInitiate", config)))
            until(lambda: member.command("hello")["isWritablePrimary"])
            yield member
        finally:
            member.kill()


async def insert(mark: Mark) -> None:
    await mark.persist()


async def insert_many(mark: Mark) -> None:
    await Mark.persist_many([mark])


async def insert_frame(mark: Mark) -> None:
    await Mark.insert_dataframe(pd.DataFrame({"id": [mark.id], "writer": [mark.writer]}))


async def upsert_frame(mark: Mark) -> None:
    frame = pd.DataFrame({"id": [mark.id], "writer": [mark.writer]})
    await Mark.update_dataframe(frame, upsert=True)


Failures = list[tuple[ObjectId, lm.LoomError]]


async def insert_until_error(
    operation: Callable[[Mark], Coroutine[Any, Any, None]], failures: Failures, number: int
) -> None:
    """Insert documents until a call raises an error."""
    mark = Mark(writer=number)
    try:
        while True:
            await operation(mark)
            mark = Mark(writer=number)
    except lm.LoomError as error:
        failures.append((mark.id, error))


async def shut_down(server: Member) -> None:
    await _concurrency.sleep(0.5)
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)


@pytest.mark.parametrize("operation", [insert, insert_many, insert_frame, upsert_frame])
async def test_writes_while_the_server_shuts_down(operation: Any, server: Member) -> None:
    failures: Failures = []
    with lm.config_context(server_timeout=1.0):
        async with lm.connect(f"mongodb://{server.address}/?replicaSet=shutdown"):
            await Mark.filter().count()
            writers = [
                partial(insert_until_error, operation, failures, number)
                for number in range(WRITERS)
            ]
            await gathered(*writers, partial(shut_down, server))
    server.kill(signal.SIGTERM)
    server.start()
    until(lambda: server.command("hello")["isWritablePrimary"])
    with server.client() as client:
        stored = {document["_id"] for document in client.faults.marks.find({})}
    assert len(failures) == WRITERS
    assert [error for _, error in failures if not isinstance(error, lm.ConnectionFailed)] == []
    unconfirmed = [(id, error) for id, error in failures if "made, not confirmed" in error.message]
    assert {id for id, _ in unconfirmed} <= stored
    if "frame" in operation.__name__:
        notes = {note for _, error in failures for note in error.__notes__}
        assert notes <= {
            "Rows 0 had been written before",
            "Nothing was written",
            "Nothing was written; row 0 was being sent, and may be written",
        }
