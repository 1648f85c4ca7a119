# Generated from tests/faults/counters.py by `nox -s sync`: edit that file.
"""Counters behind a proxy: the model, operations on it, and how they fail."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import pytest

import loom_sync as lm
from tests.faults.proxy import Proxy, run_proxy

#: Seconds: the time limit of clients, and how much longer an operation may take on a busy machine.
LIMIT, GRACE = 0.6, 1.0
ProxiedServer: TypeAlias = tuple[Proxy, str]


@lm.declare_persist_db("faults", "counters")
class Counter(lm.Persistable):
    name: str = ""
    count: lm.IncrCounter = 0
    log: list[str] = []


@contextmanager
def connect_proxy(mongo_uri: str, database: str) -> Iterator[ProxiedServer]:
    """Start a proxy to the server, and yield it with its URI; drop the database afterwards."""
    with run_proxy(mongo_uri) as (proxy, uri), lm.using(database=database):
        with lm.connect(mongo_uri) as client:
            yield proxy, uri
            # The server would keep a transaction open for a minute if its end did not arrive.
            client.admin.command("killAllSessions", [])
            client.drop_database(database)


Operation: TypeAlias = Callable[[Counter], None]


def load(counter: Counter) -> None:
    Counter.from_id(counter.id)


def load_many(counter: Counter) -> None:
    Counter.filter().load_many()


def rename(counter: Counter) -> None:
    counter.name = "new"
    counter.persist()


def increment(counter: Counter) -> None:
    counter.count += 1
    counter.persist()


def increment_many(counter: Counter) -> None:
    counter.count += 1
    Counter.persist_many([counter, Counter()])


def persist_many(counter: Counter) -> None:
    Counter.persist_many([counter])


def delete_in_transaction(counter: Counter) -> None:
    with lm.transaction():
        counter.delete()


def expect_failure(operation: Operation, counter: Counter, limit: float) -> lm.LoomError:
    """Return the error of an operation, which must be raised in time."""
    start = time.monotonic()
    with pytest.raises(lm.LoomError) as caught:
        operation(counter)
    assert time.monotonic() - start < limit + GRACE
    assert "Topology" not in str(caught.value)
    return caught.value
