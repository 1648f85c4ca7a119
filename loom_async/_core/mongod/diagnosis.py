"""Why an embedded server did not start: from mongod's log to one error with a hint."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import EmbeddedServerError, LoomError
from .binary import why_not_runnable
from .datadir import DataDirectory

_TAIL = 64 * 1024
_SHOWN = 5
_PORT_TAKEN = "Address already in use"
_HINTS = (
    (r"No space left on device", "the disk is full: free some space"),
    (
        r"Permission denied|Read-only file system|Operation not permitted",
        "every file of the data directory must be readable and writable by its user",
    ),
    (
        r"DBPathInUse|another process|Unable to lock",
        "another mongod runs on the data directory: stop it first",
    ),
    (
        r"featureCompatibilityVersion|UPGRADE PROBLEM|[Ii]ncompatible|[Uu]nsupported WiredTiger",
        "the data is from another version of MongoDB: set LOOM_MONGOD to that one, "
        "or LOOM_DATA_DIR to another directory",
    ),
    (
        r"WT_TRY_SALVAGE|corrupt|checksum|WT_PANIC",
        "files of the data directory are damaged: restore them from a backup, or repair them with "
        "mongod --repair",
    ),
    (
        r"No locks available|Operation not supported|Function not implemented",
        "the data directory must be on a file system with locks: set LOOM_DATA_DIR to a local disk",
    ),
    (r"permissions on .*keyfile.* are too open", "run chmod 600 on the keyfile"),
)


def unusable(directory: Path | None, error: OSError) -> LoomError:
    """Return the error that says why a data directory cannot be used."""
    where = error.filename or directory or "the data directory"
    reason = error.strerror or type(error).__name__
    return EmbeddedServerError(
        f"the embedded server cannot use {where}: {reason}",
        hint=hint_for([reason]) or "set LOOM_DATA_DIR to a directory that you may write to",
    )


def log_size(log: Path) -> int:
    """Return where the messages of the next start will begin."""
    return log.stat().st_size if log.exists() else 0


def start_failure(directory: DataDirectory, mongod: Path, log_from: int) -> LoomError | None:
    """Return why the server that was just started has ended; None when it may be tried again."""
    logged = _errors_in(directory.log, log_from)
    if any(_PORT_TAKEN in reason for reason in logged):
        return None
    if not logged:
        return why_not_runnable(mongod)
    return EmbeddedServerError(
        f"the embedded server did not start: {'; '.join(logged)}",
        hint=hint_for(logged) or f"{directory.log} may say more",
    )


def unexplained(directory: DataDirectory) -> LoomError:
    """Return the error for a server that ended again and again without giving a reason."""
    said = "; ".join(_last_lines(directory.output)) or "it gave no reason"
    return EmbeddedServerError(
        f"the embedded server ended while it started: {said}",
        hint=f"{directory.log} may say more",
    )


def hint_for(reasons: list[str]) -> str | None:
    """Return what to do about the reasons mongod gave, where it is known."""
    text = "\n".join(reasons)
    return next((hint for pattern, hint in _HINTS if re.search(pattern, text)), None)


def _errors_in(log: Path, begin: int) -> list[str]:
    if not log.exists():
        return []
    with log.open("rb") as file:
        size = file.seek(0, 2)
        # A log shorter than it was has been rotated: all of it is new.
        file.seek(max(begin if begin <= size else 0, size - _TAIL))
        lines = file.read().splitlines()
    return list(dict.fromkeys(_errors_of(lines)))[-_SHOWN:]


def _errors_of(lines: list[bytes]) -> Iterator[str]:
    for line in lines:
        try:
            entry: dict[str, Any] = json.loads(line)
        except ValueError:
            continue  # the first may be cut, and a crash prints plain text between
        if entry.get("s") in ("E", "F"):
            attributes: dict[str, Any] = entry.get("attr") or {}
            detail = (
                attributes.get("error") or attributes.get("message") or attributes.get("reason")
            )
            yield f"{entry['msg']}: {detail}" if detail else str(entry["msg"])


def _last_lines(output: Path) -> list[str]:
    if not output.exists():
        return []
    lines = output.read_text(errors="replace").splitlines()
    # mongod prints some ordinary messages, as JSON, before it opens its log.
    return [line for line in lines if line and not line.startswith("{")][-_SHOWN:]
