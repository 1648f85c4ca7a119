"""Locks on files, which the kernel releases when their process ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.platform != "win32":
    import fcntl


def try_lock(path: Path, *, shared: bool = False) -> int | None:
    """Return a descriptor that holds the lock of a file, or None if the lock is held elsewhere.

    The kernel releases the lock with the last copy of the descriptor: a killed process leaves no
    lock behind, and a child by fork holds the locks of its parent.

    Raises:
        OSError: The file cannot be opened, or its file system has no locks.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def unlock(descriptor: int) -> None:
    """Release a lock now, even if a child by fork holds a copy of its descriptor."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Say whether the lock of a file is held elsewhere."""
    descriptor = try_lock(path)
    if descriptor is None:
        return True
    unlock(descriptor)
    return False
