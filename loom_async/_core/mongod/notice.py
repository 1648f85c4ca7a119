"""What is said once in a process: that an operation has started the embedded server, and where."""

from __future__ import annotations

import logging
from pathlib import Path

_log = logging.getLogger("loom")
_is_given = False


def give_notice(directory: Path) -> None:
    """Log, the first time in this process, which server operations use and how to choose another.

    Both packages call this: a script that uses both is told once.
    """
    global _is_given
    if not _is_given:
        _is_given = True
        _log.info(
            "LOOM_URI is not set: models use the embedded server, which keeps its data in %s; "
            "set LOOM_URI to use another server, LOOM_DATA_DIR to keep the data elsewhere",
            directory,
        )
