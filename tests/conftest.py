"""Fixtures that every test may use: one server a run, a database a test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.server import Databases, dropping_databases, run_server

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


@pytest.fixture(scope="session")
def databases(mongo_uri: str) -> Iterator[Databases]:
    """What drops the databases of tests."""
    with dropping_databases(mongo_uri) as dropping:
        yield dropping
