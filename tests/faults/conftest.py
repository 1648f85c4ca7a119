"""The replica set that all tests of faults share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.replica_set import ReplicaSet, run_replica_set


@pytest.fixture(scope="session")
def replica_set() -> Iterator[ReplicaSet]:
    """A replica set of three members."""
    with run_replica_set() as servers:
        yield servers
