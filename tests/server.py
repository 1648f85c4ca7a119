"""The embedded server for a whole test run, started and stopped outside any test's event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from loom_async.embedded_server import start_embedded


@contextmanager
def run_server() -> Iterator[str]:
    """Yield the URI of a temporary server."""
    lease = asyncio.run(start_embedded(None, temporary=True))
    try:
        yield lease.uri
    finally:
        lease.release()
