"""A mongod without the embedded server's setup: with fail points, or without a replica set."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pymongo import MongoClient

from loom_async import settings
from loom_async._core.mongod.binary import find_mongod
from loom_async._core.mongod.launch import choose_port


@contextmanager
def run_mongod(folder: Path, *, replica_set: str | None) -> Iterator[str]:
    """Yield the URI of a server with fail points.

    Parameters:
        folder: An empty folder for its data.
        replica_set: The name of a replica set with this one member; None for a standalone server.
    """
    port = choose_port()
    command = [str(find_mongod(settings().mongod)), "--dbpath", str(folder), "--port", str(port)]
    command += ["--bind_ip", "127.0.0.1", "--nounixsocket", "--oplogSize", "16"]
    command += ["--setParameter", "enableTestCommands=1", "--wiredTigerCacheSizeGB", "0.25"]
    if replica_set:
        command += ["--replSet", replica_set]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"mongodb://127.0.0.1:{port}/?directConnection=true"
        with MongoClient(address, serverSelectionTimeoutMS=20_000) as client:
            if replica_set:
                member = {"_id": 0, "host": f"127.0.0.1:{port}"}
                config = {"_id": replica_set, "members": [member]}
                client.admin.command("replSetInitiate", config)
                while not client.admin.command("hello")["isWritablePrimary"]:
                    time.sleep(0.02)
            else:
                client.admin.command("ping")
        yield address
    finally:
        server.terminate()
        server.wait()
