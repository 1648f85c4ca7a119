# Generated from tests/faults/test_abandoned_streams.py by `nox -s sync`: edit that file.
"""Streams that are not read to the end, and transactions that fail, leave nothing open."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

import loom_sync as lm
from loom_sync import _concurrency
from tests.faults.leftovers import Observer, PoolWatch, observe
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
        with lm.using(database=DATABASE), observe(mongo_uri, watch) as observer:
            Row.persist_many([Row(number=n) for n in range(12_000)])
            yield observer
        client.drop_database(DATABASE)


def break_early(count: int) -> None:
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
        break_early(number)
        raise Interrupted


def test_streams_that_are_not_read_to_the_end(observer: Observer) -> None:
    before = observer.open_resources()
    gathered(*(partial(break_early, 900 * n) for n in range(8)))
    gathered(*[fail_in_a_stream] * 8)
    # In a thread, so that the process can close the generators that its threads have dropped.
    assert _concurrency.in_thread(observer.wait_for, before) == before


def test_transactions_with_unfinished_streams(observer: Observer) -> None:
    before = observer.open_resources()
    gathered(*(partial(fail_in_a_transaction, 900 * n) for n in range(1, 8)))
    assert _concurrency.in_thread(observer.wait_for, before) == before
    assert not Row.filter(lm.fld["number"] < 0).exists()
