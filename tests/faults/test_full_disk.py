"""A server whose disk is full: a write raises one clear error, in time."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator

import pytest

import loom_async as lm
from tests.faults.replica_set import Member, temporary_folder, until

# The size of the disk; mongod's journal takes 200 MB of it.
_MEGABYTES = 320
_TIMEOUT = 2.0
# Two attempts of the driver, and two seconds for a busy machine.
_SECONDS = 2 * _TIMEOUT + 2.0

# The file system is mounted in a mount namespace of the server, and unmounted when it ends.
_OWN_MOUNTS = ("unshare", "--map-root-user", "--mount", "sh", "-c")


@lm.declare_persist_db("faults", "blobs")
class Blob(lm.PersistableBase):
    content: bytes


def with_own_mounts(script: str, *words: str) -> tuple[str, ...]:
    return (*_OWN_MOUNTS, script, "sh", *words)


@pytest.fixture
def small_server() -> Iterator[Member]:
    """A mongod whose data is on a file system of a few megabytes."""
    with temporary_folder() as folder:
        data = folder / "data"
        data.mkdir()
        script = f'mount -t tmpfs -o size={_MEGABYTES}m none {data} && exec "$@"'
        try:
            attempt = subprocess.run(
                with_own_mounts(script, "true"), capture_output=True, text=True
            )
        except FileNotFoundError as error:
            # Only Linux has unshare, which mounts for one process alone.
            pytest.skip(f"this test needs unshare of util-linux: {error}")
        if attempt.returncode:
            # Most containers may not mount, and nothing else fills the disk of one server.
            pytest.skip(f"a small file system cannot be mounted here: {attempt.stderr.strip()}")
        server = Member(folder, prefix=with_own_mounts(script))
        server.start()
        try:
            until(lambda: server.command("ping"))
            yield server
        finally:
            server.kill()


async def fill(start_times: list[float]) -> None:
    """Store documents of a megabyte, and record the start of each call."""
    while len(start_times) < 2 * _MEGABYTES:
        start_times.append(time.monotonic())
        await Blob(content=os.urandom(1_000_000)).persist()


async def test_a_full_disk(small_server: Member) -> None:
    uri = f"mongodb://{small_server.address}/?directConnection=true"
    with lm.config_context(server_timeout=_TIMEOUT):
        async with lm.connect(uri):
            start_times: list[float] = []
            with pytest.raises(lm.LoomError) as caught:
                await fill(start_times)
            assert time.monotonic() - start_times[-1] < _SECONDS
            assert len(start_times) > 1
            # mongod refuses the write, or exits if it cannot write its journal.
            if isinstance(caught.value, lm.OperationFailed):
                assert caught.value.hint == "the server's disk is full: free space there"
            else:
                assert isinstance(caught.value, lm.ConnectionFailed)
