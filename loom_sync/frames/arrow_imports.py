# Generated from loom_async/frames/arrow_imports.py by `nox -s sync`: edit that file.
"""The code of frames, imported without stopping the process."""

from __future__ import annotations

from loom_async._core.optional_libraries import import_modules, is_imported

from .. import _concurrency

_ARROW = ("loom_async._core.arrow.tables", "loom_async._core.arrow.schema")
PANDAS = "loom_async._core.arrow.pandas_frames"
POLARS = "loom_async._core.arrow.polars_frames"


def import_arrow(*more: str) -> None:
    """Import what makes Arrow tables, and what makes other frames of them, in a thread.

    pymongoarrow imports pyarrow, pandas and Polars with it: up to a second, the first time.

    Parameters:
        *more: `PANDAS` or `POLARS`.

    Raises:
        ConfigurationError: A library is not installed.
    """
    modules = (*_ARROW, *more)
    if not is_imported(modules):
        _concurrency.in_thread(import_modules, modules)
