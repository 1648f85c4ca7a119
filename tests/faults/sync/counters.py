# Generated from tests/faults/counters.py by `nox -s sync`: edit that file.
"""Counters behind a proxy, what is done to them, and how it may fail."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import pytest

import loom_sync as lm
from tests.faults.proxy import Proxy, run_proxy

#: The limit that clients are given, and what an operation may take beyond it on a busy machine.
LIMIT, GRACE = 0.6, 1.0
Through: TypeAlias = tuple[Proxy, str]


@lm.declare_persist_db("faults", "counters")
class Counter(lm.Persistable):
    name: str = ""
    count: lm.IncrCounter = 0
    log: list[str] = []


@contextmanager
def proxied(mongo_uri: str, database: str) -> Iterator[Through]:
    """Give a proxy before the server, and the URI that leads through it; drop the database."""
    with run_proxy(mongo_uri) as (proxy, uri), lm.using(database=database):
        with lm.connect(mongo_uri) as client:
            yield proxy, uri
            # A transaction whose end could not be told to the server is open there for a minute.
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


def store_many(counter: Counter) -> None:
    Counter.persist_many([counter])


def in_transaction(counter: Counter) -> None:
    with lm.transaction():
        counter.delete()


def failure(operation: Operation, counter: Counter, within: float) -> lm.LoomError:
    """Return the one error of an operation, which has to come in time."""
    start = time.monotonic()
    with pytest.raises(lm.LoomError) as caught:
        operation(counter)
    assert time.monotonic() - start < within + GRACE
    assert "Topology" not in str(caught.value)
    return caught.value
