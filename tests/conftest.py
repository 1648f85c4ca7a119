"""Fixtures that every test may use: one server a run, a database a test."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import HealthCheck, settings
from pymongo import AsyncMongoClient

import loom_async as lm
from tests.commands import recorder
from tests.server import run_server

_numbers = itertools.count()

# Machines are shared: how long an example takes says nothing about the code.
settings.register_profile(
    "loom", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("loom")


@pytest.fixture(scope="session")
def mongo_uri() -> Iterator[str]:
    """The URI of an embedded server that lives as long as the test run."""
    with run_server() as uri:
        yield uri


@pytest.fixture
async def client(mongo_uri: str) -> AsyncIterator[AsyncMongoClient[dict[str, object]]]:
    """A client of the server."""
    async with lm.connect(mongo_uri, event_listeners=[recorder]) as opened:
        yield opened


@pytest.fixture
async def db(client: AsyncMongoClient[dict[str, object]]) -> AsyncIterator[str]:
    """The name of a database of the test's own, which every model uses; dropped afterwards."""
    name = f"test_{next(_numbers)}"
    with lm.using(database=name):
        yield name
    await client.drop_database(name)
