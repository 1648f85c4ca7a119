"""The log message about the embedded server, written once per process."""

from __future__ import annotations

import logging
from pathlib import Path

_log = logging.getLogger("loom")
_is_given = False


def log_fallback(directory: Path) -> None:
    """Log, once per process, that operations use the embedded server, and how to use another.

    Both packages call it, so that a script that uses both gets one message.
    """
    global _is_given
    if not _is_given:
        _is_given = True
        _log.info(
            "LOOM_URI is not set: models use the embedded server, which keeps its data in %s; "
            "set LOOM_URI to use another server, LOOM_DATA_DIR to keep the data elsewhere",
            directory,
        )
