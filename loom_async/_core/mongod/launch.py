"""Starts the guard of an embedded server with its mongod; chooses its port and its URI."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from pathlib import Path

from ..errors import ConfigurationError
from .data_directory import DataDirectory

REPLICA_SET = "loom0"
HOST = "127.0.0.1"
USER = "loom"
# Below the ports that systems use for outgoing connections: a replica set's configuration has its
# port, which should still be free when its server starts again.
_PORTS = range(20000, 32000)
_ATTEMPTS = 100


def launch_guard(directory: DataDirectory, mongod: Path, port: int, cache_gb: float) -> None:
    """Start a guard with its mongod; return once a guard holds the lock of the directory.

    Raises:
        ConfigurationError: There is no Python interpreter to run the guard with.
    """
    if not sys.executable:
        raise ConfigurationError(
            "the embedded server needs a Python interpreter, and sys.executable names none",
            hint="set LOOM_URI to a running server",
        )
    directory.rotate_log()
    interpreter = [sys.executable, "-I", "-S", "-W", "ignore"]
    guard = [str(Path(__file__).with_name("guard.py")), str(directory.path), str(port)]
    at_end = "discard" if directory.temporary else "keep"
    with open(directory.output, "wb", opener=_private) as output:
        subprocess.run(
            [*interpreter, *guard, at_end, *_mongod_command(directory, mongod, port, cache_gb)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def choose_port() -> int:
    """Return a free port, which is likely to be free again when its server restarts."""
    for port in random.sample(_PORTS, _ATTEMPTS):
        if is_free(port):
            return port
    with socket.socket() as any_port:
        any_port.bind((HOST, 0))
        return int(any_port.getsockname()[1])


def is_free(port: int) -> bool:
    """Say whether a server can listen on a local port now."""
    with socket.socket() as trial:
        # As mongod does, ignore connections of the former server in the state TIME_WAIT.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
        except OSError:
            return False
    return True


def is_listening(port: int) -> bool:
    """Say whether a process listens on a local port."""
    with socket.socket() as trial:
        trial.settimeout(1.0)  # a process that does not accept may have a full queue
        return trial.connect_ex((HOST, port)) == 0


def uri(port: int, password: str) -> str:
    """Return the URI for clients."""
    # Not a direct connection: with a replica set, drivers wait for the primary after a restart.
    return (
        f"mongodb://{USER}:{password}@{HOST}:{port}/"
        f"?replicaSet={REPLICA_SET}&authSource=admin&authMechanism=SCRAM-SHA-256"
    )


def _mongod_command(
    directory: DataDirectory, mongod: Path, port: int, cache_gb: float
) -> list[str]:
    parameters = {
        # Otherwise any local process could create a user before Loom does. Loom uses the keyfile.
        "enableLocalhostAuthBypass": "false",
        # Iterations protect weak passwords, and this one has 256 random bits. 5000 is the minimum.
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
        # In MB. By default the oplog may grow to a twentieth of the disk.
        *("--oplogSize", "990"),
        *(
            word
            for name, value in parameters.items()
            for word in ("--setParameter", f"{name}={value}")
        ),
    ]


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_APPEND, 0o600)
