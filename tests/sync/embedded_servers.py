# Generated from tests/aio/embedded_servers.py by `nox -s sync`: edit that file.
"""The processes and files of embedded servers."""

import json
import stat
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from loom_async._core.mongod.file_locks import is_locked


def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not become true in time"
        time.sleep(0.01)


def mongod_of(data_dir: Path) -> psutil.Process:
    return psutil.Process(json.loads((data_dir / "server.json").read_bytes())["pid"])


def guard_of(data_dir: Path) -> psutil.Process:
    parent = mongod_of(data_dir).parent()
    assert parent is not None
    return parent


def is_stopped(data_dir: Path) -> bool:
    return not is_locked(data_dir / "guard.lock") and not any(
        str(data_dir) in " ".join(process.info["cmdline"] or ())
        for process in psutil.process_iter(["cmdline"])
    )


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def contents(data_dir: Path) -> list[Path]:
    return list(data_dir.iterdir())
