"""Fixtures for all tests: one server for the test run."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.server import Databases, dropping_databases, run_server

_numbers = itertools.count()

# Machines may be busy: the time of an example says nothing about the code.
settings.register_profile(
    "loom", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("loom")


@pytest.fixture(scope="session")
def mongo_uri() -> Iterator[str]:
    """The URI of an embedded server that runs as long as the tests."""
    with run_server() as uri:
        yield uri


@pytest.fixture(scope="session")
def databases(mongo_uri: str) -> Iterator[Databases]:
    """Drops the databases of tests that have ended."""
    with dropping_databases(mongo_uri) as opened:
        yield opened
