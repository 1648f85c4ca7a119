# Generated from loom_async/frames/arrow_imports.py by `nox -s sync`: edit that file.
"""Imports of the modules that need Arrow, made in a thread so that the process stays free."""

from __future__ import annotations

import importlib

from .. import _concurrency

_ARROW = ("loom_async._core.arrow.table_builder", "loom_async._core.arrow.schema")
PANDAS = "loom_async._core.arrow.pandas_frames"
POLARS = "loom_async._core.arrow.polars_frames"

_imported: set[str] = set()


def import_arrow(*more: str) -> None:
    """Import the modules that build Arrow tables, and those that make other frames of tables.

    The first import takes up to a second: pymongoarrow also imports pyarrow, pandas and Polars.

    Parameters:
        *more: `PANDAS` or `POLARS`.

    Raises:
        ConfigurationError: A library is not installed.
    """
    modules = (*_ARROW, *more)
    if not _imported.issuperset(modules):
        _concurrency.in_thread(_import, modules)


def _import(modules: tuple[str, ...]) -> None:
    for name in modules:
        importlib.import_module(name)
        _imported.add(name)
