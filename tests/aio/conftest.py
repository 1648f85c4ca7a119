"""A client of the test run's server, and a database for each test."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import pytest
from pymongo import AsyncMongoClient

import loom_async as lm
from tests.commands import recorder

_numbers = itertools.count()


@pytest.fixture
async def client(mongo_uri: str) -> AsyncIterator[AsyncMongoClient[dict[str, object]]]:
    """A client of the server."""
    async with lm.connect(mongo_uri, event_listeners=[recorder]) as opened:
        yield opened


@pytest.fixture
async def db(client: AsyncMongoClient[dict[str, object]]) -> AsyncIterator[str]:
    """The name of a database of the test's own, which every model uses; dropped afterwards."""
    name = f"test_{__name__.split('.')[1]}_{next(_numbers)}"
    with lm.using(database=name):
        yield name
    await client.drop_database(name)
