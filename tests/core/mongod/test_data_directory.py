"""The data directory of an embedded server: its secrets, its modes and the guard's file."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from loom_async._core.errors import ConfigurationError
from loom_async._core.mongod import data_directory
from loom_async._core.mongod.data_directory import DataDirectory, secret


def test_concurrent_creators_of_a_secret_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        for number in range(20):
            path = tmp_path / f"secret{number}"
            found = set(pool.map(secret, [path] * 16))
            assert len(found) == 1
            assert len(found.pop()) == 64
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(list(tmp_path.iterdir())) == 20


def test_a_directory_that_others_may_read_becomes_private(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.mkdir(mode=0o755)
    DataDirectory.at(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_a_directory_with_other_files_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    tmp_path.chmod(0o755)
    DataDirectory.at(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    tmp_path.chmod(0o777)
    with pytest.raises(ConfigurationError, match="other users may write"):
        DataDirectory.at(tmp_path)


def test_the_port_is_that_of_the_guards_file(tmp_path: Path) -> None:
    directory = DataDirectory.at(tmp_path / "data")
    assert directory.port() is None
    (directory.path / "server.json").write_text('{"port": 20000, "pid": null}')
    assert directory.port() == 20000
    assert directory.running_port() is None


@pytest.mark.parametrize(
    "note",
    [
        "",
        "{",
        "null",
        "5",
        "[1]",
        "[[]]",
        '["port", "pid"]',
        '"port"',
        '[["port", 20000]]',
        "[" * 100_000,
        "\ud800",
        '{"port": "20000", "pid": "1"}',
        '{"port": 20000.5, "pid": 1}',
        '{"port": true, "pid": true}',
        '{"port": 70000, "pid": 1}',
        '{"port": -1, "pid": -1}',
        '{"port": [20000], "pid": {}}',
        '{"port": null, "pid": 1}',
    ],
    ids=lambda note: note[:30],
)
def test_a_file_that_no_guard_has_written_counts_as_missing(note: str, tmp_path: Path) -> None:
    directory = DataDirectory.at(tmp_path / "data")
    (directory.path / "server.json").write_bytes(note.encode("utf-8", "surrogatepass"))
    assert directory.port() is None
    assert directory.running_port() is None
    (directory.db / "mongod.lock").write_text(str(os.getpid()))
    directory.stop_orphan()  # it does not end this process


def test_a_large_log_becomes_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_directory, "_MAX_LOG_BYTES", 10)
    directory = DataDirectory.at(tmp_path / "data")
    directory.rotate_log()
    directory.log.write_text("short")
    directory.rotate_log()
    assert directory.log.exists()
    directory.log.write_text("longer than ten")
    directory.rotate_log()
    assert [path.name for path in directory.path.glob("mongod*")] == ["mongod.log.1"]


def test_a_system_without_posix_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    with pytest.raises(ConfigurationError, match="POSIX"):
        DataDirectory.at(None)
