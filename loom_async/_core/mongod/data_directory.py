"""The data directory of an embedded server: its files, its secrets and what they say of it."""

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
from pathlib import Path
from typing import NamedTuple

from platformdirs import user_data_path

from ..errors import ConfigurationError
from ..type_guards import is_dict
from .file_locks import is_locked

_MAX_LOG_BYTES = 8 * 1024 * 1024


class DataDirectory(NamedTuple):
    """The data directory of one embedded server; processes with the same directory share it.

    Three lock files coordinate them: every client holds the lock of `lease` shared, the client
    that starts the server holds that of `start`, and the guard process that of `guard`.
    """

    path: Path
    temporary: bool = False

    @classmethod
    def at(cls, path: Path | None) -> DataDirectory:
        """Return the directory at a path, created if necessary; None for the user's default.

        Raises:
            ConfigurationError: This is not a POSIX system, or others may write to the directory.
            OSError: The directory cannot be created.
        """
        _require_posix()
        directory = cls((path or user_data_path("loom") / "mongodb").expanduser().absolute())
        directory.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory._protect()
        directory.db.mkdir(mode=0o700, exist_ok=True)
        return directory

    @classmethod
    def create_temporary(cls) -> DataDirectory:
        """Return a new directory that the guard deletes after the last client."""
        _require_posix()
        directory = cls(Path(tempfile.mkdtemp(prefix="loom-")), temporary=True)
        directory.db.mkdir(mode=0o700)
        return directory

    @property
    def db(self) -> Path:
        """The folder of mongod's files."""
        return self.path / "db"

    @property
    def keyfile(self) -> Path:
        """The secret of the server's own user, who can administer it in every state."""
        return self.path / "keyfile"

    @property
    def password(self) -> Path:
        """The password of the user that clients connect as."""
        return self.path / "password"

    @property
    def lease(self) -> Path:
        """Locked by every client, shared."""
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
        """The log of mongod."""
        return self.path / "mongod.log"

    @property
    def output(self) -> Path:
        """The output of the guard, and of mongod until it opens its log."""
        return self.path / "guard.log"

    @property
    def ready(self) -> Path:
        """Exists while the running server has been set up; the guard removes it."""
        return self.path / "ready"

    def port(self) -> int | None:
        """Return the port of the server that runs or ran last; None before the first start."""
        return self._state().get("port")

    def running_port(self) -> int | None:
        """Return the port of the mongod that the guard has started; None if it runs none."""
        state = self._state()
        return state.get("port") if "pid" in state else None

    def has_orphan(self) -> bool:
        """Say whether a mongod without a guard still uses the data."""
        return is_locked(self.db / "mongod.lock")

    def stop_orphan(self) -> None:
        """Tell a mongod whose guard was killed to stop: only Linux stops it with the guard."""
        holder = (self.db / "mongod.lock").read_text().strip()
        # Not a mongod that no guard has started: a user may be repairing the data with it.
        if holder.isdecimal() and int(holder) == self._state().get("pid"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(holder), signal.SIGTERM)

    def was_guard_killed(self) -> bool:
        """Say, if no guard runs, whether the last one was killed: otherwise it notes its end."""
        return self.running_port() is not None

    def kill_server(self) -> None:
        """Kill the mongod that the guard runs; it recovers from its journal."""
        pid = self._state().get("pid")
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def rotate_log(self) -> None:
        """Make a log that is too large the old log, in place of the former old log."""
        if self.log.exists() and self.log.stat().st_size > _MAX_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))

    def discard(self) -> None:
        """Delete the directory if it is temporary."""
        if self.temporary:
            shutil.rmtree(self.path, ignore_errors=True)

    def _state(self) -> dict[str, int]:
        """Return the port and the process id of the server, as far as the guard's file has them.

        A file that no guard can have written counts as missing: the next guard replaces it.
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
        # A directory with other files in it, such as a whole project, keeps its mode. But users who
        # may write to it could replace the secrets.
        is_ours = self.keyfile.exists() or next(self.path.iterdir(), None) is None
        if is_ours:
            self.path.chmod(0o700)
        elif self.path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise ConfigurationError(
                f"other users may write to the data directory {self.path}",
                hint="use a separate directory, such as a new one inside it",
            )


def secret(path: Path) -> str:
    """Return the secret of a file, created if it does not exist.

    Processes that create it at the same time get the same secret.
    """
    if not path.exists():
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        # Linked under its name only when complete: no process reads half a secret or replaces one.
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


def _require_posix() -> None:
    if sys.platform == "win32":
        raise ConfigurationError(
            "the embedded server needs a POSIX system",
            hint="set LOOM_URI to a running server",
        )
