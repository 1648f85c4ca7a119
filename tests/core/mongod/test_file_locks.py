"""Locks on files: shared and exclusive."""

import os
import stat
from pathlib import Path

from loom_async._core.mongod.file_locks import is_locked, try_lock, unlock


def test_a_shared_lock_keeps_an_exclusive_one_out(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    one, two = try_lock(path, shared=True), try_lock(path, shared=True)
    assert one is not None
    assert two is not None
    os.close(one)
    assert is_locked(path)
    unlock(two)
    assert not is_locked(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
