"""The embedded server: a real mongod that the first client starts and the last one stops."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from pymongo.errors import ConnectionFailure, PyMongoError

from .. import _concurrency
from .._core.errors import EmbeddedServerError
from .._core.mongod import command, diagnosis
from .._core.mongod.binary import find_mongod
from .._core.mongod.datadir import DataDirectory, is_locked, secret, try_lock, unlock
from .._core.settings import settings
from .embedded_revival import Revival
from .embedded_setup import set_up

_POLL = 0.01
_STARTS = 3
_SECONDS_TO_EXIT = 1.0


class Lease:
    """A client's hold on an embedded server, which runs until its last lease is released.

    A killed process releases its leases too; a child by fork holds those of its parent.
    """

    def __init__(
        self, directory: Path, port: int, uri: str, descriptor: int, revival: Revival
    ) -> None:
        self.directory = directory
        self.port = port
        self.uri = uri
        self._descriptor: int | None = descriptor
        self._revival = revival

    @property
    def listeners(self) -> list[Any]:
        """The event listeners for clients of this server, which start it again if it is killed."""
        return [self._revival]

    def release(self) -> None:
        """Let the server stop once nobody else holds it; a second call does nothing."""
        if self._descriptor is not None:
            self._revival.end()
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
    """Return a lease of a server that is writable now, started where it did not run yet.

    Parameters:
        data_dir: Where the server keeps its data; None: the setting, else the user's directory.
        temporary: Use a new directory, deleted after the last client, in place of `data_dir`.

    Raises:
        ConfigurationError: There is no mongod that can run here.
        EmbeddedServerError: The server did not start, or not in time (setting `server_timeout`).

    Example:
        >>> from loom_async.connection.embedded_server import start_embedded
        >>> with await start_embedded(temporary=True) as lease:
        ...     lease.port > 0
        True
    """
    data_dir = data_dir or settings().data_dir
    try:
        directory = DataDirectory.discarded() if temporary else DataDirectory.at(data_dir)
        try:
            return await _Start(directory).lease()
        except BaseException:
            directory.discard()
            raise
    except OSError as error:
        raise diagnosis.unusable(data_dir, error) from error


class _Start:
    """One client's way to a server that is writable, whoever started it."""

    def __init__(self, directory: DataDirectory) -> None:
        self.directory = directory
        self.timeout = settings().server_timeout
        self.deadline = time.monotonic() + self.timeout

    async def lease(self) -> Lease:
        """Hold the server, then make sure that it runs: so it cannot stop in between."""
        descriptor = await self._lock(self.directory.lease, shared=True)
        try:
            port = await self._ready_port()
            uri = command.uri(port, secret(self.directory.password))
            chosen = settings()
            revival = Revival(self.directory, port, chosen.mongod, chosen.embedded_cache_gb)
            return Lease(self.directory.path, port, uri, descriptor, revival)
        except BaseException:
            os.close(descriptor)
            raise

    async def _lock(self, path: Path, *, shared: bool = False) -> int:
        while (descriptor := try_lock(path, shared=shared)) is None:
            await self._pause("the server before, or who starts it, has not finished")
        return descriptor

    async def _ready_port(self) -> int:
        starting = await self._lock(self.directory.start)
        try:
            # Also where another has prepared it: it may be restarting, or about to be gone.
            port = await self._prepared()
            return await self._launch() if port is None else port
        finally:
            unlock(starting)

    async def _launch(self) -> int:
        """Start a server, on its former port if that is free, and prepare it."""
        mongod = find_mongod(settings().mongod)
        secret(self.directory.keyfile)
        await self._outlast_predecessor()
        for _ in range(_STARTS):
            log_from = diagnosis.log_size(self.directory.log)
            port = await self._choose_port()
            await _concurrency.in_thread(
                command.launch_guard, self.directory, mongod, port, settings().embedded_cache_gb
            )
            prepared = await self._prepared()
            if prepared is not None:
                return prepared
            failure = await _concurrency.in_thread(
                diagnosis.start_failure, self.directory, mongod, log_from
            )
            if failure is not None:
                raise failure
        raise diagnosis.unexplained(self.directory)

    async def _outlast_predecessor(self) -> None:
        if self.directory.has_predecessor():
            self.directory.stop_predecessor()
        while self.directory.has_predecessor():
            await self._pause("another mongod has the data")

    async def _choose_port(self) -> int:
        """Return the port the replica set is configured with, or another if that is taken."""
        former = self.directory.port()
        if former is None:
            return command.choose_port()
        # A mongod that is exiting keeps its port a little longer than its files.
        patience = time.monotonic() + (_SECONDS_TO_EXIT if self.directory.was_left_alone() else 0.0)
        while not command.is_free(former):
            if time.monotonic() > patience:
                return command.choose_port()
            await self._pause("its port is taken")
        return former

    async def _prepared(self) -> int | None:
        """Make the server that the guard runs ready for clients; None when there is no guard."""
        while is_locked(self.directory.guard):
            port = self.directory.running_port()
            if port is not None and command.is_listening(port) and await self._is_prepared(port):
                return port
            await self._pause("mongod does not answer yet")
        return None

    async def _is_prepared(self, port: int) -> bool:
        try:
            await set_up(self.directory, port, self._pause, self.timeout)
        except ConnectionFailure:
            return False  # it has ended; the guard restarts it, or ends too
        except PyMongoError as error:
            raise EmbeddedServerError(
                f"the embedded server in {self.directory.path} could not be prepared: {error}",
                hint=f"{self.directory.log} may say more",
            ) from error
        return is_locked(self.directory.guard)

    async def _pause(self, state: str) -> None:
        if time.monotonic() > self.deadline:
            raise EmbeddedServerError(
                f"the embedded server in {self.directory.path} was not ready within "
                f"{self.timeout:g} s: {state}",
                hint=f"raise the setting server_timeout, or see {self.directory.log}",
            )
        await _concurrency.sleep(_POLL)
