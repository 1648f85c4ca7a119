"""A guard that is killed is replaced, and its clients continue."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import loom_async as lm
from loom_async._core.mongod.binary import find_mongod
from loom_async._core.mongod.file_locks import is_locked
from tests.aio.embedded_servers import guard_of, is_stopped, mongod_of, until


def kill_guard(data_dir: Path) -> None:
    """Kill a guard, and wait until the kernel has stopped its mongod."""
    mongod = mongod_of(data_dir)
    guard_of(data_dir).kill()
    until(lambda: not mongod.is_running())


Way = Callable[[Path], AbstractAsyncContextManager[Any]]


@lm.declare_persist_db("restart_db", "notes")
class Note(lm.PersistableBase):
    number: int


@asynccontextmanager
async def in_a_block(data_dir: Path) -> AsyncIterator[None]:
    async with lm.embedded(data_dir):
        yield


@asynccontextmanager
async def by_settings(data_dir: Path) -> AsyncIterator[None]:
    with lm.config_context(data_dir=data_dir, uri=None, embedded="auto"):
        yield
        await lm.close()


@asynccontextmanager
async def connected(data_dir: Path) -> AsyncIterator[None]:
    with lm.config_context(data_dir=data_dir, uri=None, embedded="auto"):
        async with lm.connect():
            yield


@asynccontextmanager
async def opened(data_dir: Path) -> AsyncIterator[None]:
    await lm.open_embedded(data_dir)
    yield
    await lm.close()


@pytest.mark.parametrize("way", [in_a_block, by_settings, connected, opened])
async def test_a_killed_guard_is_replaced(data_dir: Path, way: Way) -> None:
    async with way(data_dir):
        await Note(number=0).persist()
        kill_guard(data_dir)
        begun = time.monotonic()
        await Note(number=1).persist()
        assert time.monotonic() - begun < 15
        assert await Note.filter().count() == 2
        assert is_locked(data_dir / "guard.lock")
    until(lambda: is_stopped(data_dir))


async def test_a_guard_killed_repeatedly_with_its_mongod(data_dir: Path) -> None:
    async with lm.embedded(data_dir):
        for number in range(3):
            await Note(number=number).persist()
            guard, mongod = guard_of(data_dir), mongod_of(data_dir)
            guard.kill()
            mongod.kill()
            assert await Note.filter().count() == number + 1
        # The new guard does what the first one did.
        mongod_of(data_dir).kill()
        assert await Note.filter().count() == 3


async def test_a_restarted_temporary_server_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with lm.embedded():
        await Note(number=0).persist()
        (directory,) = children(tmp_path)
        kill_guard(directory)
        assert await Note.filter().count() == 1
    until(lambda: not children(tmp_path))


def children(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_several_clients_start_one_guard(data_dir: Path) -> None:
    async with lm.embedded(data_dir), lm.embedded(data_dir), lm.embedded(data_dir):
        await Note(number=0).persist()
        kill_guard(data_dir)
        assert await Note.filter().count() == 1
        guard = guard_of(data_dir)
        await Note(number=1).persist()
        assert guard_of(data_dir) == guard


async def test_a_server_that_was_told_to_stop_is_not_restarted(data_dir: Path) -> None:
    """Its guard noted that it stopped, and ended."""
    with lm.config_context(server_timeout=2):
        async with lm.embedded(data_dir):
            await Note(number=0).persist()
            mongod_of(data_dir).terminate()
            until(lambda: not is_locked(data_dir / "guard.lock"))
            with pytest.raises(lm.ConnectionFailed):
                await Note.filter().count()
            assert is_stopped(data_dir)


async def test_a_failed_restart_is_logged(
    data_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mongod = tmp_path / "mongod"
    mongod.symlink_to(find_mongod(None))
    with lm.config_context(server_timeout=3, mongod=mongod):
        async with lm.embedded(data_dir):
            await Note(number=0).persist()
            mongod.unlink()
            kill_guard(data_dir)
            with pytest.raises(lm.ConnectionFailed):
                await Note.filter().count()
    assert "cannot be started again: LOOM_MONGOD names" in caplog.text
