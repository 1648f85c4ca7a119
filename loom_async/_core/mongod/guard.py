"""The guard of an embedded mongod: a process that outlives every client but the last.

It is run by path, `python -I -S guard.py DIRECTORY PORT keep|discard MONGOD ARGUMENT...`, with the
standard library alone, so that it starts in milliseconds and needs nothing of its first client.

It blocks in the exclusive lock of `lease.lock`, which every client holds shared: the kernel grants
it when the last client has gone, however it went. It then keeps newcomers waiting until mongod has
stopped. A mongod that dies while clients remain is started again on the same port, so that their
drivers reconnect. Should the guard itself be killed, the kernel stops mongod (on Linux) and frees
`guard.lock`, and the next client starts a new guard.
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
    """One mongod, from the first client to the last."""

    def __init__(self, directory: str, port: int, discard: bool, command: list[str]) -> None:
        self.directory = directory
        self.port = port
        self.discard = discard
        self.command = command
        self.restarts: list[float] = []
        self.lock = os.open(self._path("guard.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take_lock(self) -> bool:
        """Become the guard of the directory, unless there is one."""
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        # What a guard that was killed has left is not true of this one.
        self._note_stopped()
        return True

    def run(self) -> None:
        """Run mongod until the last client has gone, or it is not worth starting again."""
        # Blocked and waited for, not handled: everything happens in one place, in order.
        signals = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        mongod = self._launch()
        clients = threading.Thread(target=self._await_last_client, daemon=True)
        clients.start()
        while mongod is not None:
            if signal.sigwait(signals) != signal.SIGCHLD:
                self._stop(mongod)
                return self._leave()
            status = mongod.poll()
            if status is not None:
                _say(f"mongod ended with status {status}")
                mongod = self._launch() if self._is_worth_restarting(status) else None
        # Its clients may look for the reason, or start another guard: they are not kept waiting.
        self._note_stopped()
        fcntl.flock(self.lock, fcntl.LOCK_UN)
        if self.discard:
            clients.join()
            self._delete()
        return None

    def _launch(self) -> subprocess.Popen[bytes] | None:
        try:
            # From the main thread: the kernel ties the parent's death to the thread that forked.
            mongod = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, preexec_fn=_in_child(os.getpid())
            )
        except (OSError, subprocess.SubprocessError) as error:
            _say(f"{self.command[0]} cannot be run: {error}")
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
            _say("mongod does not stop; it is killed, and will recover from its journal")
            mongod.kill()
            mongod.wait()

    def _leave(self) -> None:
        self._note_stopped()
        if self.discard:
            self._delete()
        # Before the lease, which ends with the process: who gets the lease finds no guard.
        fcntl.flock(self.lock, fcntl.LOCK_UN)

    def _is_worth_restarting(self, status: int) -> bool:
        if status == 0 or not os.path.exists(self._path("ready")):
            return False  # it was told to stop, or never ran properly
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
        # The port stays: the replica set's configuration names it, so the next start takes it.
        self._write_state(None)

    def _delete(self) -> None:
        import shutil  # a tenth of the start, for an end that few guards have

        shutil.rmtree(self.directory, ignore_errors=True)

    def _path(self, *names: str) -> str:
        return os.path.join(self.directory, *names)


def _in_child(guard: int) -> Callable[[], None]:
    """Return what makes mongod, between fork and exec, stop when the guard dies."""
    prctl = _find_prctl()

    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != guard:  # it died before the kernel was told
            os._exit(1)

    return prepare


def _find_prctl() -> Callable[..., object] | None:
    if sys.platform != "linux":
        return None
    import ctypes

    return ctypes.CDLL(None).prctl


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Become a guard in the background; return as soon as it is one."""
    directory, port, fate, *command = arguments
    os.umask(0o077)
    os.chdir("/")
    guard = Guard(directory, int(port), fate == "discard", command)
    if not guard.take_lock():
        return ANOTHER_GUARD
    # The first client waits for this process alone, and never has the guard for a child.
    if os.fork() == 0:
        guard.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
