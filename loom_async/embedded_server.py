"""The embedded server: a real mongod that the first client starts and the last one stops."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from . import _seam
from ._core.errors import EmbeddedServerError
from ._core.mongod import command, diagnosis
from ._core.mongod.binary import find_mongod
from ._core.mongod.datadir import DataDirectory, is_locked, secret, try_lock, unlock
from ._core.settings import settings

_POLL = 0.01
_STARTS = 3
_MILLISECONDS_TO_SELECT = 1_000
_SECONDS_TO_EXIT = 1.0
# mongod asks whoever listens at its former address whether that is itself, for up to 30 s.
_SECONDS_TO_MOVE = 35.0
_AUTHENTICATION_FAILED = 18
_ALREADY_INITIALIZED = 23
_NO_CONFIG = 94


class Lease:
    """A client's hold on an embedded server, which runs until its last lease is released.

    A killed process releases its leases too; a child by fork holds those of its parent.
    """

    def __init__(self, directory: Path, port: int, uri: str, descriptor: int) -> None:
        self.directory = directory
        self.port = port
        self.uri = uri
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Let the server stop once nobody else holds it; a second call does nothing."""
        if self._descriptor is not None:
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
        >>> from loom_async.embedded_server import start_embedded
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
            return Lease(self.directory.path, port, uri, descriptor)
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
            await _seam.in_thread(
                command.launch_guard, self.directory, mongod, port, settings().embedded_cache_gb
            )
            prepared = await self._prepared()
            if prepared is not None:
                return prepared
            failure = await _seam.in_thread(
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
        patience = time.monotonic() + _SECONDS_TO_EXIT
        while not command.is_free(former):
            if time.monotonic() > patience:
                self.deadline += _SECONDS_TO_MOVE
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
            await self._prepare(port)
        except ConnectionFailure:
            return False  # it has ended; the guard restarts it, or ends too
        except PyMongoError as error:
            raise EmbeddedServerError(
                f"the embedded server in {self.directory.path} could not be prepared: {error}",
                hint=f"{self.directory.log} may say more",
            ) from error
        return is_locked(self.directory.guard)

    async def _prepare(self, port: int) -> None:
        # As the server's own user, whose password is the keyfile: it is there before any user
        # and in every state of the replica set, so that a preparation cut short can be resumed.
        async with AsyncMongoClient[dict[str, Any]](
            command.HOST,
            port,
            directConnection=True,
            username="__system",
            password=secret(self.directory.keyfile),
            authSource="local",
            authMechanism="SCRAM-SHA-256",
            # It was listening a moment ago: if it is not there now it has died, and is not awaited.
            # (A timeoutMS would be waited for in full, in spite of this.)
            serverSelectionTimeoutMS=_MILLISECONDS_TO_SELECT,
            socketTimeoutMS=int(1000 * self.timeout),
        ) as client:
            await self._elect(client, f"{command.HOST}:{port}")
            if not (self.directory.ready.exists() and self.directory.password.exists()):
                await self._ensure_user(client, port)
                self.directory.ready.touch(mode=0o600)

    async def _elect(self, client: AsyncMongoClient[dict[str, Any]], host: str) -> None:
        """Make the server the primary of a replica set that has it alone, under this address."""
        while True:
            hello = await client.admin.command("hello")
            if hello.get("isWritablePrimary"):
                return
            if hello.get("isreplicaset"):  # it has no configuration, or is not named in it
                await self._configure(client, host)
            await self._pause("mongod is not primary yet")

    async def _configure(self, client: AsyncMongoClient[dict[str, Any]], host: str) -> None:
        try:
            reply = await client.admin.command("replSetGetConfig")
            config = reply["config"]
            config["members"][0]["host"] = host
            config["version"] += 1
            await client.admin.command("replSetReconfig", config, force=True)
        except OperationFailure as error:
            if error.code != _NO_CONFIG:
                raise
            await self._initiate(client, host)

    async def _initiate(self, client: AsyncMongoClient[dict[str, Any]], host: str) -> None:
        members = [{"_id": 0, "host": host}]
        try:
            await client.admin.command(
                "replSetInitiate", {"_id": command.REPLICA_SET, "members": members}
            )
        except OperationFailure as error:
            # A server that still loads its configuration says that it has none.
            if error.code not in (_ALREADY_INITIALIZED, _NO_CONFIG):
                raise

    async def _ensure_user(self, client: AsyncMongoClient[dict[str, Any]], port: int) -> None:
        password = secret(self.directory.password)
        found = await client.admin.command("usersInfo", command.USER)
        credentials: dict[str, Any] = {"pwd": password, "mechanisms": ["SCRAM-SHA-256"]}
        if not found["users"]:
            await client.admin.command("createUser", command.USER, roles=["root"], **credentials)
        elif not await _accepts(command.uri(port, password)):
            # The file with the password was lost and made anew.
            await client.admin.command("updateUser", command.USER, **credentials)

    async def _pause(self, state: str) -> None:
        if time.monotonic() > self.deadline:
            raise EmbeddedServerError(
                f"the embedded server in {self.directory.path} was not ready within "
                f"{self.timeout:g} s: {state}",
                hint=f"raise the setting server_timeout, or see {self.directory.log}",
            )
        await _seam.sleep(_POLL)


async def _accepts(uri: str) -> bool:
    async with AsyncMongoClient[dict[str, Any]](uri) as client:
        try:
            await client.admin.command("ping")
        except OperationFailure as error:
            if error.code != _AUTHENTICATION_FAILED:
                raise
            return False
    return True
