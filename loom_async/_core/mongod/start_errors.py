"""The errors for embedded servers that do not start, with the reasons that mongod logged."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import EmbeddedServerError, LoomError
from .binary import why_not_runnable
from .data_directory import DataDirectory

# At most so much of the log is read, and so many of its errors are shown.
_MAX_READ_BYTES = 64 * 1024
_MAX_SHOWN = 5
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
        "the data was written by another version of MongoDB: set LOOM_MONGOD to that version, "
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
    """Return the error for a data directory that cannot be used."""
    path = error.filename or directory or "the data directory"
    reason = error.strerror or type(error).__name__
    return EmbeddedServerError(
        f"the embedded server cannot use {path}: {reason}",
        hint=hint_for([reason]) or "set LOOM_DATA_DIR to a directory that you may write to",
    )


def log_size(log: Path) -> int:
    """Return the position in the log at which the next start writes."""
    return log.stat().st_size if log.exists() else 0


def start_failure(directory: DataDirectory, mongod: Path, log_from: int) -> LoomError | None:
    """Return the error for a server that ended as it started; None if another start may succeed.

    Parameters:
        directory: Its data directory.
        mongod: Its binary.
        log_from: Where its messages in the log begin.
    """
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
    """Return the error for a server that ended at each start without giving a reason."""
    reason = "; ".join(_last_lines(directory.output)) or "it gave no reason"
    return EmbeddedServerError(
        f"the embedded server ended while it started: {reason}",
        hint=f"{directory.log} may say more",
    )


def hint_for(reasons: list[str]) -> str | None:
    """Return the hint for the reasons that mongod gave; None for unknown reasons."""
    text = "\n".join(reasons)
    return next((hint for pattern, hint in _HINTS if re.search(pattern, text)), None)


def _errors_in(log: Path, begin: int) -> list[str]:
    if not log.exists():
        return []
    with log.open("rb") as file:
        size = file.seek(0, 2)
        # A log that has become shorter was rotated: all of it is new.
        file.seek(max(begin if begin <= size else 0, size - _MAX_READ_BYTES))
        lines = file.read().splitlines()
    return list(dict.fromkeys(_errors_of(lines)))[-_MAX_SHOWN:]


def _errors_of(lines: list[bytes]) -> Iterator[str]:
    for line in lines:
        try:
            entry: dict[str, Any] = json.loads(line)
        except ValueError:
            continue  # the first line may be incomplete, and a crash logs plain text
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
    return [line for line in lines if line and not line.startswith("{")][-_MAX_SHOWN:]
