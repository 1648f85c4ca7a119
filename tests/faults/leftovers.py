"""What operations may leave behind: connections, cursors, transactions, sessions."""

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

_OF_WRITES = (
    loom_async.connection.client_cache.WriteSession,
    loom_sync.connection.client_cache.WriteSession,
)

_SECONDS = 10.0


class PoolWatch(monitoring.ConnectionPoolListener):
    """Counts the connections of a client that are in use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.in_use = 0
        self.most = 0

    def connection_checked_out(self, event: monitoring.ConnectionCheckedOutEvent) -> None:
        with self._lock:
            self.in_use += 1
            self.most = max(self.most, self.in_use)

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
    """Counts the sessions that were begun explicitly, have not ended, and are still held."""

    def __init__(self) -> None:
        self._begun: list[weakref.ref[Any]] = []

    @property
    def open(self) -> int:
        """How many there are."""
        gc.collect()
        self._begun = [session for session in self._begun if session() is not None]
        # Those in which Loom numbers its writes serve one command after another.
        kept = [one.client_session for one in gc.get_objects() if type(one) in _OF_WRITES]
        held = {id(session) for session in kept}
        return sum(not s().has_ended and id(s()) not in held for s in self._begun)

    def begun(self, session: Any) -> None:
        """Note a session."""
        self._begun.append(weakref.ref(session))


@contextmanager
def watching_sessions(kind: type[Any]) -> Iterator[SessionWatch]:
    """Watch the sessions of a driver's class until the block ends."""
    watch, make = SessionWatch(), kind.__init__

    def begin(session: Any, *arguments: Any) -> None:
        make(session, *arguments)
        *_, is_implicit = arguments
        if not is_implicit:
            watch.begun(session)

    kind.__init__ = begin  # type: ignore[method-assign]
    try:
        yield watch
    finally:
        kind.__init__ = make  # type: ignore[method-assign]


class Open(NamedTuple):
    """What is open: on the server, and in a client's pool."""

    cursors: int
    transactions: int
    connections: int


class Observer:
    """Looks at a server with a client of its own, and at another client's pool."""

    def __init__(self, client: MongoClient[dict[str, Any]], watch: PoolWatch) -> None:
        self._client = client
        self._watch = watch

    def open(self) -> Open:
        """Return what is open now."""
        status = self._client.admin.command("serverStatus")
        return Open(
            status["metrics"]["cursor"]["open"]["total"],
            status["transactions"]["currentOpen"],
            self._watch.in_use,
        )

    def sessions(self) -> int:
        """Return how many sessions the server knows of, those in the pools of clients too."""
        stages = [{"$listLocalSessions": {"allUsers": True}}, {"$count": "n"}]
        return next(iter(self._client.admin.aggregate(stages)), {"n": 0})["n"]

    def settled(self, before: Open) -> Open:
        """Return what is open as soon as that is as before, or after ten seconds."""
        limit = time.monotonic() + _SECONDS
        while (now := self.open()) != before and time.monotonic() < limit:
            time.sleep(0.02)
        return now


@contextmanager
def observing(uri: str, watch: PoolWatch) -> Iterator[Observer]:
    """Give an observer of a server and of the client that has this listener."""
    with MongoClient[dict[str, Any]](uri) as client:
        yield Observer(client, watch)
