"""The data directory of an embedded server: its files, its secrets and its locks."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

from ..errors import ConfigurationError
from ..type_guards import is_dict

if sys.platform != "win32":
    import fcntl

_LARGEST_LOG = 8 * 1024 * 1024


@dataclass(frozen=True)
class DataDirectory:
    """Where one embedded server keeps its data; processes that name the same one share the server.

    `lease` is locked shared by every client, `start` by the one client that starts the server,
    and `guard` by the guard process as long as it lives.
    """

    path: Path
    temporary: bool = False

    @classmethod
    def at(cls, path: Path | None) -> DataDirectory:
        """Return the directory at a path, or the user's own, made where there is none.

        Raises:
            ConfigurationError: This is not a POSIX system, or others may write to the directory.
            OSError: The directory cannot be made.
        """
        _require_posix()
        directory = cls((path or user_data_path("loom") / "mongodb").expanduser().absolute())
        directory.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory._protect()
        directory.db.mkdir(mode=0o700, exist_ok=True)
        return directory

    @classmethod
    def discarded(cls) -> DataDirectory:
        """Return a new directory that the guard deletes after the last client."""
        _require_posix()
        directory = cls(Path(tempfile.mkdtemp(prefix="loom-")), temporary=True)
        directory.db.mkdir(mode=0o700)
        return directory

    @property
    def db(self) -> Path:
        """mongod's own files."""
        return self.path / "db"

    @property
    def keyfile(self) -> Path:
        """The secret of the server itself, with which it can be administered in any state."""
        return self.path / "keyfile"

    @property
    def password(self) -> Path:
        """The secret of the user that clients connect as."""
        return self.path / "password"

    @property
    def lease(self) -> Path:
        """Locked shared by every client."""
        return self.path / "lease.lock"

    @property
    def start(self) -> Path:
        """Locked by the client that starts the server."""
        return self.path / "start.lock"

    @property
    def guard(self) -> Path:
        """Locked by the guard."""
        return self.path / "guard.lock"

    @property
    def log(self) -> Path:
        """What mongod logs."""
        return self.path / "mongod.log"

    @property
    def output(self) -> Path:
        """What the guard, and mongod before it logs, print."""
        return self.path / "guard.log"

    @property
    def ready(self) -> Path:
        """There while the server that runs has been prepared; the guard removes it."""
        return self.path / "ready"

    def port(self) -> int | None:
        """Return the port of the server that runs, or ran last; None before the first."""
        return self._state().get("port")

    def running_port(self) -> int | None:
        """Return the port of the mongod that the guard has started; None while it has not."""
        state = self._state()
        return state.get("port") if "pid" in state else None

    def has_predecessor(self) -> bool:
        """Tell whether a mongod without a guard still has the data."""
        return is_locked(self.db / "mongod.lock")

    def stop_predecessor(self) -> None:
        """Ask a mongod whose guard was killed to stop: not every kernel does it with the guard."""
        holder = (self.db / "mongod.lock").read_text().strip()
        # Only the one that a guard has started; somebody may repair the data with another.
        if holder.isdecimal() and int(holder) == self._state().get("pid"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(holder), signal.SIGTERM)

    def was_left_alone(self) -> bool:
        """Tell, where there is no guard, whether the last one was killed: others note their end."""
        return self.running_port() is not None

    def kill_server(self) -> None:
        """End the mongod that the guard runs at once; it recovers from its journal."""
        pid = self._state().get("pid")
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def rotate_log(self) -> None:
        """Keep the log from growing for ever: one that is too large becomes the only old one."""
        if self.log.exists() and self.log.stat().st_size > _LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))

    def discard(self) -> None:
        """Delete a temporary directory; leave any other."""
        if self.temporary:
            shutil.rmtree(self.path, ignore_errors=True)

    def _state(self) -> dict[str, int]:
        """Return the port and the process of the server as far as the guard's note tells them.

        A note that the guard cannot have written counts as none: the next guard writes another.
        """
        try:
            state = json.loads((self.path / "server.json").read_bytes())
        except (FileNotFoundError, ValueError, RecursionError):
            return {}
        if not is_dict(state):
            return {}
        limits = {"port": 0xFFFF, "pid": sys.maxsize}
        return {
            name: state[name]
            for name, limit in limits.items()
            if type(state.get(name)) is int and 0 < state[name] <= limit
        }

    def _protect(self) -> None:
        # Somebody's whole project may be named: its mode is not ours to change, but in a
        # directory that others may write to they could replace the secrets.
        ours = self.keyfile.exists() or next(self.path.iterdir(), None) is None
        if ours:
            self.path.chmod(0o700)
        elif self.path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise ConfigurationError(
                f"other users may write to the data directory {self.path}",
                hint="name a directory of its own, such as a new one inside it",
            )


def secret(path: Path) -> str:
    """Return the secret that a file keeps; processes that make it at once agree on one."""
    if not path.exists():
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        # Linked into place complete, so nobody reads half a secret or replaces another's.
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return path.read_text()
        finally:
            draft.unlink()
    return path.read_text()


def try_lock(path: Path, *, shared: bool = False) -> int | None:
    """Return a descriptor that holds the lock of a file, or None when another holds it.

    The kernel drops the lock with the last copy of the descriptor: no kill leaves one behind,
    and a child by fork holds it too.

    Raises:
        OSError: The file cannot be opened, or its file system has no locks.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def unlock(descriptor: int) -> None:
    """Drop a lock at once, also in children by fork that hold copies of its descriptor."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Tell whether another holds the lock of a file."""
    descriptor = try_lock(path)
    if descriptor is None:
        return True
    unlock(descriptor)
    return False


def _require_posix() -> None:
    if sys.platform == "win32":
        raise ConfigurationError(
            "the embedded server needs a POSIX system",
            hint="set LOOM_URI to a server that runs already",
        )
