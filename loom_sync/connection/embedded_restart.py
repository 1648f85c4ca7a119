# Generated from loom_async/connection/embedded_restart.py by `nox -s sync`: edit that file.
"""Restarts an embedded server whose guard was killed.

When the guard is killed, the kernel stops mongod too, but the clients still hold their leases. The
driver of a client sends heartbeats to the server and reports a failed one to a listener, which
restarts the server. That costs the operations nothing.
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

from loom_async._core.errors import LoomError
from loom_async._core.mongod import launch
from loom_async._core.mongod.binary import find_mongod
from loom_async._core.mongod.data_directory import DataDirectory, secret
from loom_async._core.mongod.file_locks import is_locked, try_lock, unlock

_log = logging.getLogger("loom")
_POLL_SECONDS = 0.02
_SECONDS_TO_STOP = 120.0
_SECONDS_TO_LISTEN = 30.0
# As many restarts as a guard makes: a server that dies more often stays down.
_MAX_STARTS = 5
_STARTS_WITHIN_SECONDS = 60.0


class RestartListener(ServerHeartbeatListener):
    """Restarts the server of a data directory on its port if its guard was killed.

    Every client of the server has it as a listener. While the server has a guard, it does nothing.

    Parameters:
        directory: The data directory.
        port: The port at which the clients expect the server.
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
        self._is_ended = False

    def end(self) -> None:
        """Stop restarting servers: the lease has been released."""
        self._is_ended = True

    def started(self, event: ServerHeartbeatStartedEvent) -> None:
        """Do nothing."""

    def succeeded(self, event: ServerHeartbeatSucceededEvent) -> None:
        """Do nothing."""

    def failed(self, event: ServerHeartbeatFailedEvent) -> None:
        """Restart the server in a thread if necessary; the driver does not wait for it."""
        is_running = self._thread is not None and self._thread.is_alive()
        if not self._is_ended and not is_running:
            self._thread = threading.Thread(target=self._run, name="loom-restart", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        try:
            # Every process that starts a guard holds this lock: no other can start one now.
            start_lock = try_lock(self._directory.start)
            if start_lock is None:
                return
            try:
                if self._is_needed():
                    self._restart()
            finally:
                unlock(start_lock)
        except (LoomError, OSError) as error:
            if not self._is_ended:
                _log.warning(
                    "the embedded server in %s was killed and cannot be started again: %s",
                    self._directory.path, error,
                )  # fmt: skip

    def _is_needed(self) -> bool:
        directory = self._directory
        if self._is_ended or is_locked(directory.guard) or not directory.was_guard_killed():
            return False
        if directory.port() != self._port:
            return False  # it has moved to another port, where these clients do not look for it
        now = time.monotonic()
        self._starts = [start for start in self._starts if now - start < _STARTS_WITHIN_SECONDS]
        self._starts.append(now)
        return len(self._starts) <= _MAX_STARTS

    def _restart(self) -> None:
        directory = self._directory
        mongod = find_mongod(self._mongod)
        secret(directory.keyfile)
        if directory.has_orphan():
            directory.stop_orphan()
        deadline = time.monotonic() + _SECONDS_TO_STOP
        while directory.has_orphan() or not launch.is_free(self._port):
            if self._is_ended or time.monotonic() > deadline:
                return
            time.sleep(_POLL_SECONDS)
        _log.info(
            "the guard of the embedded server in %s was killed: starting another", directory.path
        )
        launch.launch_guard(directory, mongod, self._port, self._cache_gb)
        deadline = time.monotonic() + _SECONDS_TO_LISTEN
        while is_locked(directory.guard) and time.monotonic() < deadline:
            if launch.is_listening(self._port):
                # It was set up before its guard was killed.
                directory.ready.touch(mode=0o600)
                return
            time.sleep(_POLL_SECONDS)
