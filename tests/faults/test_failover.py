"""Primaries are killed while eight writers write: acknowledged writes are stored once."""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial
from typing import Any

import loom_async as lm
from loom_async import _concurrency
from tests.aio._concurrency import gathered
from tests.faults.replica_set import ReplicaSet
from tests.faults.writers import Item, Tally, Writer

WRITERS = 8
KILLS = 5


async def kill_primaries(servers: ReplicaSet, stop: threading.Event) -> None:
    try:
        for _ in range(KILLS):
            await _concurrency.sleep(0.5)
            await _concurrency.in_thread(servers.replace_primary)
    finally:
        stop.set()


async def check_items(writers: list[Writer]) -> None:
    items = {item.id: item for item in await Item.filter().load_many()}
    assert [item for item in items.values() if not item.is_consistent] == []
    attempted: dict[Any, int] = {}
    for writer in writers:
        for id, version in writer.record.stored.items():
            assert id in items, f"an acknowledged item of writer {writer.number} is lost"
            assert version <= items[id].version <= writer.record.attempted[id]
        attempted |= writer.record.attempted
    assert items.keys() <= attempted.keys()


async def check_tallies(writers: list[Writer]) -> None:
    counted: Counter[Any] = Counter()
    unknown: Counter[Any] = Counter()
    for writer in writers:
        counted += writer.record.counted
        unknown += writer.record.unknown
    stored = {tally.id: tally.count for tally in await Tally.filter().load_many()}
    assert stored.keys() >= counted.keys()
    for id, count in stored.items():
        assert counted[id] <= count <= counted[id] + unknown[id]


async def test_writes_while_primaries_are_killed(replica_set: ReplicaSet) -> None:
    stop = threading.Event()
    async with lm.connect(replica_set.uri) as client:
        with lm.using(database=f"faults_{__name__.replace('.', '_')}"):
            shared = Tally()
            await shared.persist()
            writers = [Writer(number, shared.id, stop) for number in range(WRITERS)]
            calls = [writer.run for writer in writers]
            await gathered(*calls, partial(kill_primaries, replica_set, stop))
            errors = [error for writer in writers for error in writer.record.errors]
            print(sum(w.record.operations for w in writers), "operations", len(errors), "errors")
            print(Counter(str(error)[:300] for error in errors))
            await check_items(writers)
            await check_tallies(writers)
            # Without retries, each kill would fail a write of each writer; with retries, a write
            # fails only if its second attempt fails as well.
            assert len(errors) < KILLS * WRITERS
        await client.drop_database(f"faults_{__name__.replace('.', '_')}")
