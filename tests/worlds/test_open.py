"""`open` and `open_embedded` in other event loops, in the other package, and after a fork."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import loom_async
import loom_sync as lm
from tests.aio.embedded_servers import until


@lm.declare_persist_db("opening_db", "notes")
class Note(lm.PersistableBase):
    text: str


@pytest.fixture(autouse=True)
def require_open(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make operations without an open client an error; close all clients afterwards."""
    monkeypatch.delenv("LOOM_URI", raising=False)
    monkeypatch.setenv("LOOM_EMBEDDED", "never")
    yield
    lm.close()
    asyncio.run(loom_async.close())


def test_each_event_loop_has_its_own_client(mongo_uri: str) -> None:
    async def open_and_write() -> Any:
        client = await loom_async.open(mongo_uri)
        await Note(text="x").persist_async()
        return client

    async def read() -> Any:
        assert await Note.filter().exists_async()
        client = await loom_async.get_async_local_db_client()
        assert await loom_async.get_async_local_db_client() is client
        return client

    clients = [asyncio.run(open_and_write()), asyncio.run(read()), asyncio.run(read())]
    assert len({id(client) for client in clients}) == 3
    assert all(client._closed for client in clients)
    asyncio.run(loom_async.close())
    with pytest.raises(lm.ConfigurationError):
        asyncio.run(read())


def test_both_packages_use_the_same_server(mongo_uri: str) -> None:
    async def main() -> None:
        async_client = await loom_async.open(mongo_uri)
        await Note(text="y").persist_async()
        assert Note.filter(lm.fld["text"] == "y").exists()
        lm.close()  # closes its own clients, not the default that the other package has set
        assert await loom_async.get_async_local_db_client() is async_client
        sync_client = lm.open(mongo_uri)
        assert lm.get_local_db_client() is sync_client
        assert await Note.filter(lm.fld["text"] == "y").exists_async()
        await loom_async.close()
        assert lm.get_local_db_client() is sync_client

    asyncio.run(main())


def test_all_threads_use_the_open_client(mongo_uri: str) -> None:
    client = lm.open(mongo_uri)
    seen: list[Any] = []
    thread = threading.Thread(target=lambda: seen.append(lm.get_local_db_client()))
    thread.start()
    thread.join()
    assert [id(one) for one in seen] == [id(client)]


_FORK = """
import asyncio, os, sys, warnings
warnings.simplefilter("ignore")
import loom_async, loom_sync as lm

@lm.declare_persist_db("opening_db", "forks")
class Note(lm.PersistableBase):
    text: str

def parent_and_child(client):
    Note(text="parent").persist()
    pid = os.fork()
    if pid == 0:
        assert lm.get_local_db_client() is not client
        Note(text="child").persist()
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert Note.filter().count() == 2
    Note.filter().delete()

parent_and_child(lm.open_embedded())

async def run_child():
    assert await loom_async.get_async_local_db_client() is not async_client
    await Note(text="child").persist_async()

with asyncio.Runner() as runner:
    async_client = runner.run(loom_async.open_embedded())
    runner.run(Note(text="parent").persist_async())
    pid = os.fork()
    if pid == 0:
        asyncio.run(run_child())
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert runner.run(Note.filter().count_async()) == 2
    runner.run(loom_async.close())
lm.close()
print("done")
"""


def run(script: str, folder: Path) -> str:
    environment = {**os.environ, "TMPDIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=60
    )
    assert done.stderr == ""
    return done.stdout


def test_a_forked_child_opens_its_own_client(tmp_path: Path) -> None:
    assert run(_FORK, tmp_path) == "done\n"
    until(lambda: not list(tmp_path.iterdir()))


_LEFT_OPEN = """
import asyncio, sys
import loom_async, loom_sync as lm

if sys.argv[1:] == ["sync"]:
    client = lm.open_embedded()
else:
    async def main():
        await loom_async.open_embedded()
    asyncio.run(main())
lm.get_local_db_client().admin.command("ping")
print("done")
"""


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_temporary_server_stops_when_the_process_ends(kind: str, tmp_path: Path) -> None:
    assert run(_LEFT_OPEN.replace("sys.argv[1:]", repr([kind])), tmp_path) == "done\n"
    until(lambda: not list(tmp_path.iterdir()))
