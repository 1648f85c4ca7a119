# Generated from tests/faults/test_abandoned.py by `nox -s sync`: edit that file.
"""Streams that nobody reads to their end, and blocks that fail, leave nothing open."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

import loom_sync as lm
from loom_sync import _concurrency
from tests.faults.leftovers import Observer, PoolWatch, observing
from tests.sync._concurrency import gathered

DATABASE = f"faults_{__name__.replace('.', '_')}"


@lm.declare_persist_db("faults", "rows")
class Row(lm.PersistableBase):
    number: int
    text: str = "x" * 200


class Interrupted(Exception):
    pass


@pytest.fixture
def observer(mongo_uri: str) -> Iterator[Observer]:
    watch = PoolWatch()
    with lm.connect(mongo_uri, event_listeners=[watch]) as client:
        with lm.using(database=DATABASE), observing(mongo_uri, watch) as found:
            Row.persist_many([Row(number=n) for n in range(12_000)])
            yield found
        client.drop_database(DATABASE)


def leave_early(count: int) -> None:
    for row in Row.filter(lm.fld["number"] >= 0).stream():
        if row.number >= count:
            break


def fail_in_a_stream() -> None:
    with pytest.raises(Interrupted):
        _read_and_fail()


def _read_and_fail() -> None:
    for _ in Row.filter().sort("number").stream():
        raise Interrupted


def fail_in_a_transaction(number: int) -> None:
    with pytest.raises(Interrupted):
        _write_and_fail(number)


def _write_and_fail(number: int) -> None:
    with lm.transaction():
        Row(number=-number).persist()
        leave_early(number)
        raise Interrupted


def test_streams_left_early(observer: Observer) -> None:
    before = observer.open()
    gathered(*(partial(leave_early, 900 * n) for n in range(8)))
    gathered(*[fail_in_a_stream] * 8)
    # In another thread: the process closes what its threads have dropped.
    assert _concurrency.in_thread(observer.settled, before) == before


def test_transactions_that_fail(observer: Observer) -> None:
    before = observer.open()
    gathered(*(partial(fail_in_a_transaction, 900 * n) for n in range(1, 8)))
    assert _concurrency.in_thread(observer.settled, before) == before
    assert not Row.filter(lm.fld["number"] < 0).exists()
