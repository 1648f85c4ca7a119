"""A server whose disk is full ends a write in one clear error, in time."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator

import pytest

import loom_async as lm
from tests.faults.replica_set import Member, temporary_folder, until

# Of which mongod's journal takes 200 beforehand.
_MEGABYTES = 320
_TIMEOUT = 2.0
# Two attempts of the driver, and the grace of a busy machine.
_SECONDS = 2 * _TIMEOUT + 2.0

# The file system is in a namespace of the server's own, and goes with it.
_ALONE = ("unshare", "--map-root-user", "--mount", "sh", "-c")


@lm.declare_persist_db("faults", "blobs")
class Blob(lm.PersistableBase):
    content: bytes


def run_alone(script: str, *words: str) -> tuple[str, ...]:
    return (*_ALONE, script, "sh", *words)


@pytest.fixture
def small_server() -> Iterator[Member]:
    """A mongod whose data is on a file system of a few megabytes."""
    with temporary_folder() as folder:
        data = folder / "data"
        data.mkdir()
        script = f'mount -t tmpfs -o size={_MEGABYTES}m none {data} && exec "$@"'
        # Mounting takes rights that containers seldom have, and unshare is of Linux alone.
        try:
            trial = subprocess.run(run_alone(script, "true"), capture_output=True, text=True)
        except FileNotFoundError as error:
            pytest.skip(f"a small file system is made by unshare of util-linux: {error}")
        if trial.returncode:
            pytest.skip(f"a small file system cannot be mounted here: {trial.stderr.strip()}")
        server = Member(folder, prefix=run_alone(script))
        server.start()
        try:
            until(lambda: server.ask("ping"))
            yield server
        finally:
            server.kill()


async def fill(started: list[float]) -> None:
    """Store a megabyte after another, and note when each was begun."""
    while len(started) < 2 * _MEGABYTES:
        started.append(time.monotonic())
        await Blob(content=os.urandom(1_000_000)).persist()


async def test_a_full_disk(small_server: Member) -> None:
    uri = f"mongodb://{small_server.address}/?directConnection=true"
    with lm.config_context(server_timeout=_TIMEOUT):
        async with lm.connect(uri):
            started: list[float] = []
            with pytest.raises(lm.LoomError) as caught:
                await fill(started)
            assert time.monotonic() - started[-1] < _SECONDS
            assert len(started) > 1
            # mongod refuses the write, or ends itself when it is its journal that is full.
            if isinstance(caught.value, lm.OperationFailed):
                assert caught.value.hint == "the server's disk is full: free space there"
            else:
                assert isinstance(caught.value, lm.ConnectionFailed)
