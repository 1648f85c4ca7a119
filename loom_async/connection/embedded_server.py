"""Starts the embedded server, on its former port if that is free, or joins a running one."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from pymongo.errors import ConnectionFailure, PyMongoError

from .. import _concurrency
from .._core.errors import EmbeddedServerError
from .._core.mongod import launch, start_errors
from .._core.mongod.binary import find_mongod
from .._core.mongod.data_directory import DataDirectory, secret
from .._core.mongod.file_locks import is_locked, try_lock, unlock
from .._core.settings import settings
from .embedded_restart import RestartListener
from .embedded_setup import set_up

_POLL_SECONDS = 0.01
# Another process may take the chosen port before mongod listens on it.
_MAX_STARTS = 3
# A mongod that exits releases its port a little later than its files.
_SECONDS_TO_RELEASE_PORT = 1.0


class Lease:
    """A lease of an embedded server, which runs until its last lease is released.

    The end of a process releases its leases; a child by fork holds those of its parent.
    """

    def __init__(
        self, directory: Path, port: int, uri: str, descriptor: int, restart: RestartListener
    ) -> None:
        self.directory = directory
        self.port = port
        self.uri = uri
        self._descriptor: int | None = descriptor
        self._restart = restart

    @property
    def listeners(self) -> list[Any]:
        """Event listeners for clients of this server, which restart it if its guard is killed."""
        return [self._restart]

    def release(self) -> None:
        """Release the lease; a second call does nothing."""
        if self._descriptor is not None:
            self._restart.end()
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def __repr__(self) -> str:
        state = "held" if self._descriptor is not None else "released"
        return f"<Lease of {str(self.directory)!r} on port {self.port}, {state}>"


async def start_embedded(data_dir: Path | None = None, *, temporary: bool = False) -> Lease:
    """Return a lease of a server that accepts writes, started if it does not run yet.

    Parameters:
        data_dir: The data directory; None for that of the setting, or else the user's default.
        temporary: Use a new directory, deleted after the last client, instead of `data_dir`.

    Raises:
        ConfigurationError: There is no mongod that can run on this system.
        EmbeddedServerError: The server did not start, or not in time (setting `server_timeout`).

    Example:
        >>> from loom_async.connection.embedded_server import start_embedded
        >>> with await start_embedded(temporary=True) as lease:
        ...     lease.port > 0
        True
    """
    data_dir = data_dir or settings().data_dir
    try:
        directory = DataDirectory.create_temporary() if temporary else DataDirectory.at(data_dir)
        try:
            return await _Start(directory).lease()
        except BaseException:
            directory.discard()
            raise
    except OSError as error:
        raise start_errors.unusable(data_dir, error) from error


class _Start:
    """Finds or starts the server of a data directory, and waits until it is ready."""

    def __init__(self, directory: DataDirectory) -> None:
        self.directory = directory
        self.timeout = settings().server_timeout
        self.deadline = time.monotonic() + self.timeout

    async def lease(self) -> Lease:
        """Take the lease, then make sure that the server runs: it cannot stop in between."""
        descriptor = await self._lock(self.directory.lease, shared=True)
        try:
            port = await self._ready_port()
            uri = launch.uri(port, secret(self.directory.password))
            current = settings()
            restart = RestartListener(
                self.directory, port, current.mongod, current.embedded_cache_gb
            )
            return Lease(self.directory.path, port, uri, descriptor, restart)
        except BaseException:
            os.close(descriptor)
            raise

    async def _lock(self, path: Path, *, shared: bool = False) -> int:
        while (descriptor := try_lock(path, shared=shared)) is None:
            await self._pause("its former server is stopping, or another process is starting it")
        return descriptor

    async def _ready_port(self) -> int:
        start_lock = await self._lock(self.directory.start)
        try:
            # A server that runs is set up again: it may have restarted, or may be ending.
            port = await self._port_when_set_up()
            return await self._launch() if port is None else port
        finally:
            unlock(start_lock)

    async def _launch(self) -> int:
        """Start a server, on its former port if that is free, and set it up; return the port."""
        mongod = find_mongod(settings().mongod)
        secret(self.directory.keyfile)
        await self._stop_orphan()
        for _ in range(_MAX_STARTS):
            log_from = start_errors.log_size(self.directory.log)
            port = await self._choose_port()
            await _concurrency.in_thread(
                launch.launch_guard, self.directory, mongod, port, settings().embedded_cache_gb
            )
            ready_port = await self._port_when_set_up()
            if ready_port is not None:
                return ready_port
            failure = await _concurrency.in_thread(
                start_errors.start_failure, self.directory, mongod, log_from
            )
            if failure is not None:
                raise failure
        raise start_errors.unexplained(self.directory)

    async def _stop_orphan(self) -> None:
        """Stop a mongod whose guard was killed, and wait for its end."""
        if self.directory.has_orphan():
            self.directory.stop_orphan()
        while self.directory.has_orphan():
            await self._pause("another mongod uses the data")

    async def _choose_port(self) -> int:
        """Return the port in the replica set's configuration, or another port if that is taken."""
        former = self.directory.port()
        if former is None:
            return launch.choose_port()
        until = time.monotonic()
        if self.directory.was_guard_killed():
            until += _SECONDS_TO_RELEASE_PORT
        while not launch.is_free(former):
            if time.monotonic() > until:
                return launch.choose_port()
            await self._pause("its port is taken")
        return former

    async def _port_when_set_up(self) -> int | None:
        """Set up the server that a guard runs, and return its port; None if there is no guard."""
        while is_locked(self.directory.guard):
            port = self.directory.running_port()
            if port is not None and launch.is_listening(port) and await self._try_set_up(port):
                return port
            await self._pause("mongod does not answer yet")
        return None

    async def _try_set_up(self, port: int) -> bool:
        try:
            await set_up(self.directory, port, self._pause, self.timeout)
        except ConnectionFailure:
            return False  # mongod has ended; the guard restarts it, or ends too
        except PyMongoError as error:
            raise EmbeddedServerError(
                f"the embedded server in {self.directory.path} could not be set up: {error}",
                hint=f"{self.directory.log} may say more",
            ) from error
        return is_locked(self.directory.guard)

    async def _pause(self, state: str) -> None:
        """Wait a little.

        Parameters:
            state: Why, for the error.

        Raises:
            EmbeddedServerError: The time limit has passed.
        """
        if time.monotonic() > self.deadline:
            raise EmbeddedServerError(
                f"the embedded server in {self.directory.path} was not ready within "
                f"{self.timeout:g} s: {state}",
                hint=f"raise the setting server_timeout, or see {self.directory.log}",
            )
        await _concurrency.sleep(_POLL_SECONDS)
