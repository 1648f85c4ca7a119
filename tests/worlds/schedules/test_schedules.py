"""Random schedules against an oracle, for a minute; LOOM_SOAK_SECONDS has them last longer.

Each episode prints its seed. LOOM_SEED begins with another one: the same calls are chosen then,
though their times are the machine's. `nox -s soak -- 3600` runs them for an hour.
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

_WORLDS = 3
_SECONDS = float(os.environ.get("LOOM_SOAK_SECONDS", "60")) / _WORLDS
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


async def run(uri: str, fault: Fault | None, world: str) -> None:
    """Run episodes, each on an empty database, until the time is over."""
    end = time.monotonic() + _SECONDS
    seed = int(_SEED) if _SEED else random.SystemRandom().randrange(1_000_000)
    while (left := end - time.monotonic()) > 0.1:
        print(f"{world}: LOOM_SEED={seed}", flush=True)
        async with database(uri, f"schedules_{world}"):
            episode = Episode(random.Random(seed), fault)
            await episode.run(min(left, _LONGEST))
        print(f"{world}: {dict(episode.conditions.counts)}", flush=True)
        seed += 1


async def test_callers_give_up(mongo_uri: str) -> None:
    """Nothing fails: there is no error at all but of transactions that meet."""
    await run(mongo_uri, None, "healthy")


async def test_primaries_are_killed(servers: ReplicaSet) -> None:
    await run(servers.uri, killed_primaries(servers), "killed")


@contextmanager
def short_transactions(uri: str) -> Iterator[None]:
    """Have the server give up soon what a client can no longer tell it to give up."""
    with MongoClient[dict[str, Any]](uri) as client:
        limit = client.admin.command({"setParameter": 1, "transactionLifetimeLimitSeconds": 3})
        yield
        client.admin.command({"setParameter": 1, "transactionLifetimeLimitSeconds": limit["was"]})


async def test_the_network_is_cut(mongo_uri: str) -> None:
    with (
        short_transactions(mongo_uri),
        run_proxy(mongo_uri) as (proxy, uri),
        lm.config_context(server_timeout=0.8),
    ):
        await run(uri, cut_network(proxy), "cut")
