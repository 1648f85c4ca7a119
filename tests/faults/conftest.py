"""A set of three servers for all tests of faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.replica_set import ReplicaSet, run_replica_set


@pytest.fixture(scope="session")
def replica_set() -> Iterator[ReplicaSet]:
    """A replica set that is whole when a test begins, unless one before has broken it."""
    with run_replica_set() as servers:
        yield servers
