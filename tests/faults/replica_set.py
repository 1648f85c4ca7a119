"""Real servers for tests: a replica set whose members can be killed, and single servers."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from loom_async._core.mongod.binary import find_mongod
from loom_async._core.mongod.launch import HOST, choose_port
from loom_async._core.settings import settings

NAME = "faults"
_SECONDS = 60.0
# Linux kills the server when the test process ends in any way: PR_SET_PDEATHSIG is 1. The server's
# own process sets it, since a preexec_fn is unsafe while there are threads.
_DIE_WITH_PARENT = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
os.execvp(sys.argv[1], sys.argv[1:])
"""

# The signal is sent when the thread that started the server ends: this thread stays alive.
_starter = ThreadPoolExecutor(1)


class Member:
    """A mongod that can be killed and started again with its data.

    Parameters:
        folder: The folder of its data and its log.
        options: Further options of mongod.
        prefix: A command that runs mongod as its argument.
    """

    def __init__(self, folder: Path, *options: str, prefix: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.port = choose_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._options = options
        self._prefix = prefix

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{HOST}:{self.port}"

    def start(self) -> None:
        """Start it, and return before it is ready."""
        data = self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        command = [
            *self._prefix, str(find_mongod(settings().mongod)),
            *("--dbpath", str(data), "--logpath", str(self.folder / "log"), "--logappend"),
            *("--bind_ip", HOST, "--port", str(self.port), "--nounixsocket", "--quiet"),
            *("--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            *self._options,
        ]  # fmt: skip
        self.process = _starter.submit(_run_bound, command).result()

    @property
    def has_exited(self) -> bool:
        """True if it has exited without `kill`."""
        return self.process is not None and self.process.poll() is not None

    def kill(self, signal_number: int = signal.SIGKILL) -> None:
        """Send a signal, SIGKILL by default, and wait until the process has ended."""
        if self.process is not None:
            self.process.send_signal(signal_number)
            self.process.wait()
            self.process = None

    @contextmanager
    def client(self) -> Iterator[MongoClient[dict[str, Any]]]:
        """Yield a client with a direct connection to this member."""
        options = {"directConnection": True, "serverSelectionTimeoutMS": 2000}
        with MongoClient[dict[str, Any]](self.address, **options) as client:
            yield client

    def command(self, name: str, value: Any = 1) -> dict[str, Any]:
        """Return the reply to an administrative command."""
        return self.run({name: value})

    def run(self, command: dict[str, Any]) -> dict[str, Any]:
        """Return the reply to an administrative command with its options."""
        with self.client() as client:
            return client.admin.command(command)


def _run_bound(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


class ReplicaSet:
    """Three members; an election takes about a second."""

    def __init__(self, folder: Path) -> None:
        # Some tests use fail points.
        options = ("--replSet", NAME, "--setParameter", "enableTestCommands=1")
        self.members = [Member(folder / str(n), *options) for n in range(3)]

    @property
    def uri(self) -> str:
        """The URI of the set."""
        hosts = ",".join(member.address for member in self.members)
        return f"mongodb://{hosts}/?replicaSet={NAME}"

    def start(self) -> None:
        """Start all members, and wait until the set is healthy."""
        for member in self.members:
            member.start()
        config = {
            "_id": NAME,
            "members": [{"_id": n, "host": m.address} for n, m in enumerate(self.members)],
            "settings": {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 250},
        }
        until(lambda: bool(self.members[0].command("replSetInitiate", config)))
        self.wait_until_healthy()

    def replace_primary(self) -> None:
        """Kill the primary with SIGKILL; start it again as soon as there is a new primary."""
        primary = until(self._primary)
        primary.kill()
        until(self._primary)
        primary.start()
        self.wait_until_healthy()

    def primary(self) -> Member:
        """Wait until there is a primary, and return it."""
        return until(self._primary)

    def wait_until_healthy(self) -> None:
        """Wait until there are a primary and two secondaries."""
        until(self._restart_exited)

    def _restart_exited(self) -> bool:
        for member in self.members:
            if member.has_exited:
                member.start()  # on a busy machine, a killed member may exit during its start
        return self._is_healthy()

    @contextmanager
    def failing(
        self, command: str, failure: dict[str, Any], *, mode: Any = "alwaysOn"
    ) -> Iterator[None]:
        """Make a command fail on the primary, by the fail point `failCommand`."""
        primary = self.primary()
        fail_point = {"configureFailPoint": "failCommand"}
        primary.run(fail_point | {"mode": mode, "data": {"failCommands": [command], **failure}})
        try:
            yield
        finally:
            primary.run(fail_point | {"mode": "off"})

    @contextmanager
    def lagging(self) -> Iterator[None]:
        """Stop replication on the secondaries until the block ends."""
        primary = self.primary()
        secondaries = [member for member in self.members if member is not primary]
        fail_point = {"configureFailPoint": "rsSyncApplyStop"}
        for member in secondaries:
            member.run(fail_point | {"mode": "alwaysOn"})
        try:
            yield
        finally:
            for member in secondaries:
                member.run(fail_point | {"mode": "off"})

    def stop(self) -> None:
        """Kill all members."""
        for member in self.members:
            member.kill()

    def _primary(self) -> Member | None:
        for member in self.members:
            if member.process is not None and member.command("hello")["isWritablePrimary"]:
                return member
        return None

    def _is_healthy(self) -> bool:
        primary = self._primary()
        if primary is None:
            return False
        members = primary.command("replSetGetStatus")["members"]
        states = sorted(member["stateStr"] for member in members)
        return states == ["PRIMARY", "SECONDARY", "SECONDARY"]


def until(condition: Callable[[], Any]) -> Any:
    """Wait until a condition returns a true value, and return it; retry after driver errors.

    Raises:
        TimeoutError: A minute has passed.
    """
    limit = time.monotonic() + _SECONDS
    last_error: object = None
    while time.monotonic() < limit:
        try:
            if value := condition():
                return value
        except PyMongoError as error:
            last_error = error
        time.sleep(0.05)
    raise TimeoutError(f"waited for {_SECONDS:.0f} s; the last error: {last_error!r}")


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a folder that is removed afterwards."""
    path = Path(tempfile.mkdtemp(prefix="loom-faults-"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


@contextmanager
def run_replica_set() -> Iterator[ReplicaSet]:
    """Run a replica set of three members until the block ends."""
    with temporary_folder() as folder:
        servers = ReplicaSet(folder)
        try:
            servers.start()
            yield servers
        finally:
            servers.stop()
