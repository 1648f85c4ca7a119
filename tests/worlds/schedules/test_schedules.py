"""Random schedules, checked by an oracle: for a minute, or for LOOM_SOAK_SECONDS.

Each episode prints its seed, and LOOM_SEED sets the first one: it makes the same calls again,
although their timing differs. `nox -s soak -- 3600` runs the schedules for an hour.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from pymongo import MongoClient

import loom_async as lm
from tests.faults.proxy import run_proxy
from tests.faults.replica_set import ReplicaSet, run_replica_set
from tests.worlds.schedules.episodes import Episode, Fault, cut_network, killed_primaries

_TESTS = 3
_SECONDS = float(os.environ.get("LOOM_SOAK_SECONDS", "60")) / _TESTS
_LONGEST = 20.0
_SEED = os.environ.get("LOOM_SEED")


@pytest.fixture(scope="module")
def servers() -> Iterator[ReplicaSet]:
    with run_replica_set() as started:
        yield started


@asynccontextmanager
async def database(uri: str, name: str) -> AsyncIterator[None]:
    """Connect, and drop a database before and after."""
    async with lm.connect(uri, heartbeatFrequencyMS=500) as client:
        await client.drop_database(name)
        with lm.using(database=name):
            yield
        await client.drop_database(name)


async def run(uri: str, fault: Fault | None, name: str) -> None:
    """Run episodes, each in an empty database, until the time is over."""
    end = time.monotonic() + _SECONDS
    seed = int(_SEED) if _SEED else random.SystemRandom().randrange(1_000_000)
    while (left := end - time.monotonic()) > 0.1:
        print(f"{name}: LOOM_SEED={seed}", flush=True)
        async with database(uri, f"schedules_{name}"):
            episode = Episode(random.Random(seed), fault)
            await episode.run(min(left, _LONGEST))
        print(f"{name}: {dict(episode.conditions.counts)}", flush=True)
        seed += 1


async def test_callers_cancel_their_calls(mongo_uri: str) -> None:
    """Without faults, only transactions that conflict with each other raise errors."""
    await run(mongo_uri, None, "healthy")


async def test_primaries_are_killed(servers: ReplicaSet) -> None:
    await run(servers.uri, killed_primaries(servers), "killed")


@contextmanager
def short_transaction_lifetime(uri: str) -> Iterator[None]:
    """Have the server soon abort the transactions that a client can no longer abort."""
    with MongoClient[dict[str, Any]](uri) as client:
        limit = client.admin.command({"setParameter": 1, "transactionLifetimeLimitSeconds": 3})
        yield
        client.admin.command({"setParameter": 1, "transactionLifetimeLimitSeconds": limit["was"]})


async def test_connections_are_cut(mongo_uri: str) -> None:
    with (
        short_transaction_lifetime(mongo_uri),
        run_proxy(mongo_uri) as (proxy, uri),
        lm.config_context(server_timeout=0.8),
    ):
        await run(uri, cut_network(proxy), "cut")
