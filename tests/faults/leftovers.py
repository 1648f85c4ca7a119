"""Resources that operations may leave open: connections, cursors, transactions, sessions."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from pymongo import MongoClient, monitoring

import loom_async.connection.client_cache
import loom_sync.connection.client_cache

_WRITE_SESSIONS = (
    loom_async.connection.client_cache.WriteSession,
    loom_sync.connection.client_cache.WriteSession,
)

_SECONDS = 10.0


class PoolWatch(monitoring.ConnectionPoolListener):
    """Counts the connections of a client that are in use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.in_use = 0
        self.maximum = 0

    def connection_checked_out(self, event: monitoring.ConnectionCheckedOutEvent) -> None:
        with self._lock:
            self.in_use += 1
            self.maximum = max(self.maximum, self.in_use)

    def connection_checked_in(self, event: monitoring.ConnectionCheckedInEvent) -> None:
        with self._lock:
            self.in_use -= 1

    def pool_created(self, event: monitoring.PoolCreatedEvent) -> None: ...

    def pool_ready(self, event: monitoring.PoolReadyEvent) -> None: ...

    def pool_cleared(self, event: monitoring.PoolClearedEvent) -> None: ...

    def pool_closed(self, event: monitoring.PoolClosedEvent) -> None: ...

    def connection_created(self, event: monitoring.ConnectionCreatedEvent) -> None: ...

    def connection_ready(self, event: monitoring.ConnectionReadyEvent) -> None: ...

    def connection_closed(self, event: monitoring.ConnectionClosedEvent) -> None: ...

    def connection_check_out_started(
        self, event: monitoring.ConnectionCheckOutStartedEvent
    ) -> None: ...

    def connection_check_out_failed(
        self, event: monitoring.ConnectionCheckOutFailedEvent
    ) -> None: ...


class SessionWatch:
    """Counts the explicit sessions that are referenced and have not ended."""

    def __init__(self) -> None:
        self._explicit: list[weakref.ref[Any]] = []

    @property
    def open(self) -> int:
        """The number of open sessions."""
        gc.collect()
        self._explicit = [session for session in self._explicit if session() is not None]
        # Loom keeps the sessions of its writes for later commands.
        write_sessions = [
            holder.client_session for holder in gc.get_objects() if type(holder) in _WRITE_SESSIONS
        ]
        pooled = {id(session) for session in write_sessions}
        return sum(not s().has_ended and id(s()) not in pooled for s in self._explicit)

    def add(self, session: Any) -> None:
        """Count a session."""
        self._explicit.append(weakref.ref(session))


@contextmanager
def watch_sessions(kind: type[Any]) -> Iterator[SessionWatch]:
    """Count the sessions of one of the driver's session classes until the block ends."""
    watch, original_init = SessionWatch(), kind.__init__

    def init(session: Any, *arguments: Any) -> None:
        original_init(session, *arguments)
        *_, is_implicit = arguments
        if not is_implicit:
            watch.add(session)

    kind.__init__ = init  # type: ignore[method-assign]
    try:
        yield watch
    finally:
        kind.__init__ = original_init  # type: ignore[method-assign]


class OpenResources(NamedTuple):
    """The numbers of open resources: on the server, and in a client's pool."""

    cursors: int
    transactions: int
    connections: int


class Observer:
    """Observes a server by a separate client, and the pool of another client."""

    def __init__(self, client: MongoClient[dict[str, Any]], watch: PoolWatch) -> None:
        self._client = client
        self._watch = watch

    def open_resources(self) -> OpenResources:
        """Return the current numbers of open resources."""
        status = self._client.admin.command("serverStatus")
        return OpenResources(
            status["metrics"]["cursor"]["open"]["total"],
            status["transactions"]["currentOpen"],
            self._watch.in_use,
        )

    def sessions(self) -> int:
        """Return the number of sessions on the server, including those in the pools of clients."""
        stages = [{"$listLocalSessions": {"allUsers": True}}, {"$count": "n"}]
        return next(iter(self._client.admin.aggregate(stages)), {"n": 0})["n"]

    def wait_for(self, before: OpenResources) -> OpenResources:
        """Return the numbers as soon as they equal `before`, or after ten seconds."""
        limit = time.monotonic() + _SECONDS
        while (now := self.open_resources()) != before and time.monotonic() < limit:
            time.sleep(0.02)
        return now


@contextmanager
def observe(uri: str, watch: PoolWatch) -> Iterator[Observer]:
    """Yield an observer of a server and of the client with this listener."""
    with MongoClient[dict[str, Any]](uri) as client:
        yield Observer(client, watch)
