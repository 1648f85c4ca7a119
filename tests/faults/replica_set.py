"""A real replica set of three whose members can be killed, and single servers, for tests."""

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
# Linux ends a server whose test process ends, however that ends: PR_SET_PDEATHSIG is 1. A process
# of its own asks for it, since a fork in Python is unsafe while there are threads.
_TIED = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
os.execvp(sys.argv[1], sys.argv[1:])
"""

# A server tied to its parent ends with the thread that started it: this one lives on.
_starter = ThreadPoolExecutor(1)


class Member:
    """One mongod, which can be killed and started again on its data.

    Parameters:
        folder: Where its data and its log are.
        options: Of mongod, besides the necessary.
        prefix: A command that runs mongod.
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
        self.process = _starter.submit(_run_tied, command).result()

    @property
    def has_failed(self) -> bool:
        """True if it has ended by itself."""
        return self.process is not None and self.process.poll() is not None

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End it by a signal, -9 by default, and wait until it has ended."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait()
            self.process = None

    @contextmanager
    def client(self) -> Iterator[MongoClient[dict[str, Any]]]:
        """Give a client of this member alone."""
        options = {"directConnection": True, "serverSelectionTimeoutMS": 2000}
        with MongoClient[dict[str, Any]](self.address, **options) as client:
            yield client

    def ask(self, command: str, value: Any = 1) -> dict[str, Any]:
        """Return the reply to an administrative command."""
        return self.run({command: value})

    def run(self, command: dict[str, Any]) -> dict[str, Any]:
        """Return the reply to an administrative command with its options."""
        with self.client() as client:
            return client.admin.command(command)


def _run_tied(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _TIED, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


class ReplicaSet:
    """Three members, elections within about a second."""

    def __init__(self, folder: Path) -> None:
        # Test commands: some tests have the server fail by its own fail points.
        options = ("--replSet", NAME, "--setParameter", "enableTestCommands=1")
        self.members = [Member(folder / str(n), *options) for n in range(3)]

    @property
    def uri(self) -> str:
        """The address of the set."""
        hosts = ",".join(member.address for member in self.members)
        return f"mongodb://{hosts}/?replicaSet={NAME}"

    def start(self) -> None:
        """Start all, and wait for a primary."""
        for member in self.members:
            member.start()
        config = {
            "_id": NAME,
            "members": [{"_id": n, "host": m.address} for n, m in enumerate(self.members)],
            "settings": {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 250},
        }
        until(lambda: bool(self.members[0].ask("replSetInitiate", config)))
        self.wait_until_whole()

    def replace_primary(self) -> None:
        """Kill the primary with -9; start it again as soon as another one takes its place."""
        primary = until(self._primary)
        primary.kill()
        until(self._primary)
        primary.start()
        self.wait_until_whole()

    def primary(self) -> Member:
        """Wait until a living member takes writes, and return it."""
        return until(self._primary)

    def wait_until_whole(self) -> None:
        """Wait until there is a primary, and both others have all that it has."""
        until(self._is_whole_again)

    def _is_whole_again(self) -> bool:
        for member in self.members:
            if member.has_failed:
                member.start()  # one that was killed may end as it starts, on a busy machine
        return self._is_whole()

    @contextmanager
    def failing(
        self, command: str, failure: dict[str, Any], *, mode: Any = "alwaysOn"
    ) -> Iterator[None]:
        """Have a command of clients fail on the primary, by the fail point `failCommand`."""
        primary = self.primary()
        point = {"configureFailPoint": "failCommand"}
        primary.run(point | {"mode": mode, "data": {"failCommands": [command], **failure}})
        try:
            yield
        finally:
            primary.run(point | {"mode": "off"})

    @contextmanager
    def lagging(self) -> Iterator[None]:
        """Have the secondaries apply nothing of what the primary writes."""
        primary = self.primary()
        secondaries = [member for member in self.members if member is not primary]
        point = {"configureFailPoint": "rsSyncApplyStop"}
        for member in secondaries:
            member.run(point | {"mode": "alwaysOn"})
        try:
            yield
        finally:
            for member in secondaries:
                member.run(point | {"mode": "off"})

    def stop(self) -> None:
        """End all members."""
        for member in self.members:
            member.kill()

    def _primary(self) -> Member | None:
        for member in self.members:
            if member.process is not None and member.ask("hello")["isWritablePrimary"]:
                return member
        return None

    def _is_whole(self) -> bool:
        primary = self._primary()
        if primary is None:
            return False
        members = primary.ask("replSetGetStatus")["members"]
        states = sorted(member["stateStr"] for member in members)
        return states == ["PRIMARY", "SECONDARY", "SECONDARY"]


def until(condition: Callable[[], Any]) -> Any:
    """Return the first true value of a condition; a server that does not answer yet is asked again.

    Raises:
        TimeoutError: There was none within a minute.
    """
    limit = time.monotonic() + _SECONDS
    reason: object = None
    while time.monotonic() < limit:
        try:
            if value := condition():
                return value
        except PyMongoError as error:
            reason = error
        time.sleep(0.05)
    raise TimeoutError(f"waited for {_SECONDS:.0f} s; the last error: {reason!r}")


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give a folder that is removed afterwards."""
    path = Path(tempfile.mkdtemp(prefix="loom-faults-"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


@contextmanager
def run_replica_set() -> Iterator[ReplicaSet]:
    """Run a set of three until the block ends."""
    with temporary_folder() as folder:
        servers = ReplicaSet(folder)
        try:
            servers.start()
            yield servers
        finally:
            servers.stop()
