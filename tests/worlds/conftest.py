"""The fixtures of the asynchronous tests."""

from tests.aio.conftest import client, db

__all__ = ["client", "db"]
