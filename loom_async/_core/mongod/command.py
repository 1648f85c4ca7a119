"""How an embedded server is started and addressed: command line, port, URI."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from pathlib import Path

from ..errors import ConfigurationError
from .datadir import DataDirectory

REPLICA_SET = "loom0"
HOST = "127.0.0.1"
USER = "loom"
# Below the ports that systems hand out for outgoing connections, so that the port a directory's
# replica set is configured with is rarely taken when its server starts again.
_PORTS = range(20000, 32000)
_ATTEMPTS = 100


def launch_guard(directory: DataDirectory, mongod: Path, port: int, cache_gb: float) -> None:
    """Start a guard with its mongod, and return once a guard holds the directory.

    Raises:
        ConfigurationError: There is no Python interpreter to run the guard with.
    """
    if not sys.executable:
        raise ConfigurationError(
            "the embedded server needs a Python interpreter, and sys.executable names none",
            hint="set LOOM_URI to a server that runs already",
        )
    directory.rotate_log()
    interpreter = [sys.executable, "-I", "-S", "-W", "ignore"]
    guard = [str(Path(__file__).with_name("guard.py")), str(directory.path), str(port)]
    fate = "discard" if directory.temporary else "keep"
    with open(directory.output, "wb", opener=_private) as output:
        subprocess.run(
            [*interpreter, *guard, fate, *_mongod_command(directory, mongod, port, cache_gb)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def choose_port() -> int:
    """Return a port that is free now, and likely to be free whenever its server starts again."""
    for port in random.sample(_PORTS, _ATTEMPTS):
        if is_free(port):
            return port
    with socket.socket() as any_port:
        any_port.bind((HOST, 0))
        return int(any_port.getsockname()[1])


def is_free(port: int) -> bool:
    """Tell whether a server may listen on a port of this machine now."""
    with socket.socket() as trial:
        # As mongod does it: connections of the server before, in TIME_WAIT, are no hindrance.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
        except OSError:
            return False
    return True


def is_listening(port: int) -> bool:
    """Tell whether something listens on a port of this machine."""
    with socket.socket() as trial:
        trial.settimeout(1.0)  # who listens but does not accept may have a full queue
        return trial.connect_ex((HOST, port)) == 0


def uri(port: int, password: str) -> str:
    """Return the address at which clients find the server's primary."""
    # By replica set and not directly: after a restart drivers then wait for the primary.
    return (
        f"mongodb://{USER}:{password}@{HOST}:{port}/"
        f"?replicaSet={REPLICA_SET}&authSource=admin&authMechanism=SCRAM-SHA-256"
    )


def _mongod_command(
    directory: DataDirectory, mongod: Path, port: int, cache_gb: float
) -> list[str]:
    parameters = {
        # Nobody can make a user before Loom does: it starts as the server itself, by keyfile.
        "enableLocalhostAuthBypass": "false",
        # Iterations slow the guessing of weak passwords down; this one has 256 random bits.
        "scramSHA256IterationCount": "5000",
        "diagnosticDataCollectionEnabled": "false",
    }
    return [
        str(mongod),
        *("--replSet", REPLICA_SET),
        *("--bind_ip", HOST),
        *("--port", str(port)),
        "--nounixsocket",
        "--auth",
        *("--keyFile", str(directory.keyfile)),
        *("--dbpath", str(directory.db)),
        *("--logpath", str(directory.log)),
        "--logappend",
        "--quiet",
        *("--wiredTigerCacheSizeGB", str(cache_gb)),
        # Unset, the oplog may grow to a twentieth of the disk.
        *("--oplogSize", "990"),
        *(
            word
            for name, value in parameters.items()
            for word in ("--setParameter", f"{name}={value}")
        ),
    ]


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_APPEND, 0o600)
