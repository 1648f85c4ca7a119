"""The guard of an embedded mongod: a process that runs mongod until the last client has ended.

It is run by path, `python -I -S guard.py DIRECTORY PORT keep|discard MONGOD ARGUMENT...`, and uses
only the standard library: it starts in milliseconds and does not depend on the first client.

It waits for the exclusive lock of `lease.lock`, which every client holds shared: the kernel grants
it when the last client has ended or was killed. New clients then wait until mongod has stopped. If
mongod dies while clients remain, the guard starts it again on the same port, and their drivers
reconnect. If the guard is killed, the kernel stops mongod (on Linux) and releases `guard.lock`, and
the next client starts a new guard.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

ANOTHER_GUARD = 75
_PR_SET_PDEATHSIG = 1
_SECONDS_TO_STOP = 120.0
_RESTARTS = 5
_RESTARTS_WITHIN = 60.0


class Guard:
    """Runs one mongod from the first client to the last."""

    def __init__(self, directory: str, port: int, discard: bool, command: list[str]) -> None:
        self.directory = directory
        self.port = port
        self.discard = discard
        self.command = command
        self.restarts: list[float] = []
        self.lock = os.open(self._path("guard.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take_lock(self) -> bool:
        """Take the lock of the guard; return False if the directory has a guard."""
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        # The files may be those of a guard that was killed.
        self._note_stopped()
        return True

    def run(self) -> None:
        """Run mongod until the last client has ended, or until mongod keeps dying."""
        # Signals are blocked and waited for here: handlers would run in the middle of other code.
        signals = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        mongod = self._launch()
        clients = threading.Thread(target=self._await_last_client, daemon=True)
        clients.start()
        while mongod is not None:
            if signal.sigwait(signals) != signal.SIGCHLD:
                self._stop(mongod)
                return self._end()
            status = mongod.poll()
            if status is not None:
                _print(f"mongod ended with status {status}")
                mongod = self._launch() if self._should_restart(status) else None
        # Clients that wait for the server can now read the reason, or start another guard.
        self._note_stopped()
        fcntl.flock(self.lock, fcntl.LOCK_UN)
        if self.discard:
            clients.join()
            self._delete()
        return None

    def _launch(self) -> subprocess.Popen[bytes] | None:
        try:
            # In the main thread: the kernel signals the end of the thread that forked.
            mongod = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, preexec_fn=_in_child(os.getpid())
            )
        except (OSError, subprocess.SubprocessError) as error:
            _print(f"{self.command[0]} cannot be run: {error}")
            return None
        self._write_state(mongod.pid)
        return mongod

    def _stop(self, mongod: subprocess.Popen[bytes]) -> None:
        if self.discard:
            mongod.kill()
        else:
            mongod.terminate()
        try:
            mongod.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            _print("mongod does not stop; it is killed, and will recover from its journal")
            mongod.kill()
            mongod.wait()

    def _end(self) -> None:
        self._note_stopped()
        if self.discard:
            self._delete()
        # Before the lease, which the end of the process releases: who gets it must find no guard.
        fcntl.flock(self.lock, fcntl.LOCK_UN)

    def _should_restart(self, status: int) -> bool:
        if status == 0 or not os.path.exists(self._path("ready")):
            return False  # it was told to stop, or was never set up
        now = time.monotonic()
        self.restarts = [at for at in self.restarts if now - at < _RESTARTS_WITHIN]
        self.restarts.append(now)
        return len(self.restarts) <= _RESTARTS

    def _await_last_client(self) -> None:
        lease = os.open(self._path("lease.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lease, fcntl.LOCK_EX)
        os.kill(os.getpid(), signal.SIGTERM)

    def _write_state(self, pid: int | None) -> None:
        draft = self._path(".server.json")
        with open(draft, "w") as file:
            json.dump({"port": self.port, "pid": pid}, file)
        os.replace(draft, self._path("server.json"))

    def _note_stopped(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path("ready"))
        # The port stays: it is in the replica set's configuration, and the next start uses it.
        self._write_state(None)

    def _delete(self) -> None:
        import shutil  # here, since it takes a tenth of the start and few guards need it

        shutil.rmtree(self.directory, ignore_errors=True)

    def _path(self, *names: str) -> str:
        return os.path.join(self.directory, *names)


def _in_child(guard: int) -> Callable[[], None]:
    """Return a function, called between fork and exec, that has mongod stop when the guard dies."""
    prctl = _find_prctl()

    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != guard:  # the guard died before prctl
            os._exit(1)

    return prepare


def _find_prctl() -> Callable[..., object] | None:
    if sys.platform != "linux":
        return None
    import ctypes

    return ctypes.CDLL(None).prctl


def _print(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Start a guard in the background; return once it holds its lock."""
    directory, port, at_end, *command = arguments
    os.umask(0o077)
    os.chdir("/")
    guard = Guard(directory, int(port), at_end == "discard", command)
    if not guard.take_lock():
        return ANOTHER_GUARD
    # The first client waits for this process only, and the guard is not its child.
    if os.fork() == 0:
        guard.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
