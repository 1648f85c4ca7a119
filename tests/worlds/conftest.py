"""The fixtures of the asynchronous tests, and a server with fail points."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

import loom_async as lm
from tests.aio.conftest import client, db
from tests.mongod import run_mongod
from tests.worlds.failing_server import DATABASE, FAIL_POINTS, Client

__all__ = ["client", "db"]


@pytest.fixture(scope="session")
def failing_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_mongod(tmp_path_factory.mktemp("mongod"), replica_set="rs0") as uri:
        yield uri


@pytest.fixture
async def failing(failing_uri: str) -> AsyncIterator[Client]:
    """A client that sets the fail points; Loom uses another client of the same server."""
    with lm.using(database=DATABASE), lm.config_context(server_timeout=1.5):
        connected = lm.connect(failing_uri, heartbeatFrequencyMS=500)
        async with connected, Client(failing_uri) as other:
            yield other
            for point in ("failCommand", *FAIL_POINTS.values()):
                await other.admin.command("configureFailPoint", point, mode="off")
            await other.drop_database(DATABASE)
