# Generated from tests/aio/test_embedded_restart.py by `nox -s sync`: edit that file.
"""A guard that is killed is replaced, and its clients continue."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

import loom_sync as lm
from loom_async._core.mongod.binary import find_mongod
from loom_async._core.mongod.file_locks import is_locked
from tests.sync.embedded_servers import guard_of, is_stopped, mongod_of, until


def kill_guard(data_dir: Path) -> None:
    """Kill a guard, and wait until the kernel has stopped its mongod."""
    mongod = mongod_of(data_dir)
    guard_of(data_dir).kill()
    until(lambda: not mongod.is_running())


Way = Callable[[Path], AbstractContextManager[Any]]


@lm.declare_persist_db("restart_db", "notes")
class Note(lm.PersistableBase):
    number: int


@contextmanager
def in_a_block(data_dir: Path) -> Iterator[None]:
    with lm.embedded(data_dir):
        yield


@contextmanager
def by_settings(data_dir: Path) -> Iterator[None]:
    with lm.config_context(data_dir=data_dir, uri=None, embedded="auto"):
        yield
        lm.close()


@contextmanager
def connected(data_dir: Path) -> Iterator[None]:
    with lm.config_context(data_dir=data_dir, uri=None, embedded="auto"), lm.connect():
        yield


@contextmanager
def opened(data_dir: Path) -> Iterator[None]:
    lm.open_embedded(data_dir)
    yield
    lm.close()


@pytest.mark.parametrize("way", [in_a_block, by_settings, connected, opened])
def test_a_killed_guard_is_replaced(data_dir: Path, way: Way) -> None:
    with way(data_dir):
        Note(number=0).persist()
        kill_guard(data_dir)
        begun = time.monotonic()
        Note(number=1).persist()
        assert time.monotonic() - begun < 15
        assert Note.filter().count() == 2
        assert is_locked(data_dir / "guard.lock")
    until(lambda: is_stopped(data_dir))


def test_a_guard_killed_repeatedly_with_its_mongod(data_dir: Path) -> None:
    with lm.embedded(data_dir):
        for number in range(3):
            Note(number=number).persist()
            guard, mongod = guard_of(data_dir), mongod_of(data_dir)
            guard.kill()
            mongod.kill()
            assert Note.filter().count() == number + 1
        # The new guard does what the first one did.
        mongod_of(data_dir).kill()
        assert Note.filter().count() == 3


def test_a_restarted_temporary_server_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with lm.embedded():
        Note(number=0).persist()
        (directory,) = children(tmp_path)
        kill_guard(directory)
        assert Note.filter().count() == 1
    until(lambda: not children(tmp_path))


def children(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def test_several_clients_start_one_guard(data_dir: Path) -> None:
    with lm.embedded(data_dir), lm.embedded(data_dir), lm.embedded(data_dir):
        Note(number=0).persist()
        kill_guard(data_dir)
        assert Note.filter().count() == 1
        guard = guard_of(data_dir)
        Note(number=1).persist()
        assert guard_of(data_dir) == guard


def test_a_server_that_was_told_to_stop_is_not_restarted(data_dir: Path) -> None:
    """Its guard noted that it stopped, and ended."""
    with lm.config_context(server_timeout=2), lm.embedded(data_dir):
        Note(number=0).persist()
        mongod_of(data_dir).terminate()
        until(lambda: not is_locked(data_dir / "guard.lock"))
        with pytest.raises(lm.ConnectionFailed):
            Note.filter().count()
        assert is_stopped(data_dir)


def test_a_failed_restart_is_logged(
    data_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mongod = tmp_path / "mongod"
    mongod.symlink_to(find_mongod(None))
    with lm.config_context(server_timeout=3, mongod=mongod), lm.embedded(data_dir):
        Note(number=0).persist()
        mongod.unlink()
        kill_guard(data_dir)
        with pytest.raises(lm.ConnectionFailed):
            Note.filter().count()
    assert "cannot be started again: LOOM_MONGOD names" in caplog.text
