"""The server of a guard that was killed, started again by one of its clients.

A guard looks after mongod, and nothing looks after the guard: when it is killed, the kernel stops
mongod too. The clients hold their leases all the same. Their drivers ask the server again and again
whether it is there, and say when it is not: at no cost for operations, and wherever the client is.
"""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from pymongo.monitoring import (
    ServerHeartbeatFailedEvent,
    ServerHeartbeatListener,
    ServerHeartbeatStartedEvent,
    ServerHeartbeatSucceededEvent,
)

from .._core.errors import LoomError
from .._core.mongod import command
from .._core.mongod.binary import find_mongod
from .._core.mongod.datadir import DataDirectory, is_locked, secret, try_lock, unlock

_log = logging.getLogger("loom")
_POLL = 0.02
_SECONDS_TO_STOP = 120.0
_SECONDS_TO_LISTEN = 30.0
# As a guard starts mongod again: one that always dies is not worth it.
_STARTS = 5
_STARTS_WITHIN = 60.0


class Revival(ServerHeartbeatListener):
    """Starts the server of a data directory again, on its port, when its guard was killed.

    It is a listener of the clients of the server. One that runs under one guard is left to it.

    Parameters:
        directory: The data directory.
        port: Where the server's clients look for it.
        mongod: The setting `mongod`.
        cache_gb: The setting `embedded_cache_gb`.
    """

    def __init__(
        self, directory: DataDirectory, port: int, mongod: Path | None, cache_gb: float
    ) -> None:
        self._directory = directory
        self._port = port
        self._mongod = mongod
        self._cache_gb = cache_gb
        self._thread: threading.Thread | None = None
        self._starts: list[float] = []
        self._is_over = False

    def end(self) -> None:
        """Start nothing from now on: the lease has been released."""
        self._is_over = True

    def started(self, event: ServerHeartbeatStartedEvent) -> None:
        """Do nothing."""

    def succeeded(self, event: ServerHeartbeatSucceededEvent) -> None:
        """Do nothing."""

    def failed(self, event: ServerHeartbeatFailedEvent) -> None:
        """Have a thread look after the server; the driver is not kept waiting."""
        is_looking = self._thread is not None and self._thread.is_alive()
        if not self._is_over and not is_looking:
            self._thread = threading.Thread(target=self._look, name="loom-revival", daemon=True)
            self._thread.start()

    def _look(self) -> None:
        try:
            # Whoever starts a server holds this lock: under it there is a guard, or there is none.
            starting = try_lock(self._directory.start)
            if starting is None:
                return
            try:
                if self._is_needed():
                    self._revive()
            finally:
                unlock(starting)
        except (LoomError, OSError) as error:
            if not self._is_over:
                _log.warning(
                    "the embedded server in %s was killed and cannot be started again: %s",
                    self._directory.path, error,
                )  # fmt: skip

    def _is_needed(self) -> bool:
        directory = self._directory
        if self._is_over or is_locked(directory.guard) or not directory.was_left_alone():
            return False
        if directory.port() != self._port:
            return False  # it runs elsewhere, and these clients would not find it
        now = time.monotonic()
        self._starts = [at for at in self._starts if now - at < _STARTS_WITHIN]
        self._starts.append(now)
        return len(self._starts) <= _STARTS

    def _revive(self) -> None:
        directory = self._directory
        mongod = find_mongod(self._mongod)
        secret(directory.keyfile)
        if directory.has_predecessor():
            directory.stop_predecessor()
        deadline = time.monotonic() + _SECONDS_TO_STOP
        while directory.has_predecessor() or not command.is_free(self._port):
            if self._is_over or time.monotonic() > deadline:
                return
            time.sleep(_POLL)
        _log.info("the guard of the embedded server in %s was killed: starting it", directory.path)
        command.launch_guard(directory, mongod, self._port, self._cache_gb)
        deadline = time.monotonic() + _SECONDS_TO_LISTEN
        while is_locked(directory.guard) and time.monotonic() < deadline:
            if command.is_listening(self._port):
                # It was prepared before it was killed.
                directory.ready.touch(mode=0o600)
                return
            time.sleep(_POLL)
