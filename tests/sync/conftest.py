# Generated from tests/aio/conftest.py by `nox -s sync`: edit that file.
"""A client of the test server, a database for each test, and data directories."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient

import loom_sync as lm
from loom_async._core.frames import chunks
from tests.commands import recorder
from tests.server import Databases
from tests.sync.embedded_servers import is_stopped, until

_numbers = itertools.count()


@pytest.fixture
def client(mongo_uri: str) -> Iterator[MongoClient[dict[str, object]]]:
    """A client of the server of the test run."""
    with lm.connect(mongo_uri, event_listeners=[recorder]) as opened:
        yield opened


@pytest.fixture
def db(client: MongoClient[dict[str, object]], databases: Databases) -> Iterator[str]:
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
