# Generated from tests/faults/test_server_shutdown.py by `nox -s sync`: edit that file.
"""A server shuts down while it writes: unconfirmed writes raise ConnectionFailed."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pandas as pd
import pytest
from bson import ObjectId

import loom_sync as lm
from loom_sync import _concurrency
from tests.faults.replica_set import Member, temporary_folder, until
from tests.sync._concurrency import gathered

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


def insert(mark: Mark) -> None:
    mark.persist()


def insert_many(mark: Mark) -> None:
    Mark.persist_many([mark])


def insert_frame(mark: Mark) -> None:
    Mark.insert_dataframe(pd.DataFrame({"id": [mark.id], "writer": [mark.writer]}))


def upsert_frame(mark: Mark) -> None:
    frame = pd.DataFrame({"id": [mark.id], "writer": [mark.writer]})
    Mark.update_dataframe(frame, upsert=True)


Failures = list[tuple[ObjectId, lm.LoomError]]


def insert_until_error(operation: Callable[[Mark], None], failures: Failures, number: int) -> None:
    """Insert documents until a call raises an error."""
    mark = Mark(writer=number)
    try:
        while True:
            operation(mark)
            mark = Mark(writer=number)
    except lm.LoomError as error:
        failures.append((mark.id, error))


def shut_down(server: Member) -> None:
    _concurrency.sleep(0.5)
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)


@pytest.mark.parametrize("operation", [insert, insert_many, insert_frame, upsert_frame])
def test_writes_while_the_server_shuts_down(operation: Any, server: Member) -> None:
    failures: Failures = []
    with lm.config_context(server_timeout=1.0):
        with lm.connect(f"mongodb://{server.address}/?replicaSet=shutdown"):
            Mark.filter().count()
            writers = [
                partial(insert_until_error, operation, failures, number)
                for number in range(WRITERS)
            ]
            gathered(*writers, partial(shut_down, server))
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
