"""A client of the test server, a database for each test, and data directories."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pymongo import AsyncMongoClient

import loom_async as lm
from loom_async._core.frames import chunks
from tests.aio.embedded_servers import is_stopped, until
from tests.commands import recorder
from tests.server import Databases

_numbers = itertools.count()


@pytest.fixture
async def client(mongo_uri: str) -> AsyncIterator[AsyncMongoClient[dict[str, object]]]:
    """A client of the server of the test run."""
    async with lm.connect(mongo_uri, event_listeners=[recorder]) as opened:
        yield opened


@pytest.fixture
async def db(
    client: AsyncMongoClient[dict[str, object]], databases: Databases
) -> AsyncIterator[str]:
    """The name of a new database that all models use; it is dropped after the test."""
    name = f"test_{__name__.split('.')[1]}_{next(_numbers)}"
    with lm.using(database=name):
        yield name
    databases.drop_later(name)


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A path for a data directory; its server must stop at the end of the test."""
    path = tmp_path / "data"
    yield path
    if path.exists():
        until(lambda: is_stopped(path))


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make frames be read in chunks of two rows."""
    monkeypatch.setattr(chunks, "ROWS", 2)
