"""The optional libraries of this folder, imported with an install hint when missing."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterable
from typing import Any

from .errors import ConfigurationError

_EXTRAS = {"pandas": "pandas", "polars": "polars"}


def library(name: str) -> Any:
    """Return an optional library or one of its modules; they have no types, or none of use here.

    Parameters:
        name: What would stand after `import`.

    Raises:
        ConfigurationError: It is not installed.
    """
    top = name.partition(".")[0]
    try:
        with warnings.catch_warnings():
            # pyarrow's classes have grown since pymongoarrow was compiled, which does no harm.
            warnings.filterwarnings("ignore", ".* size changed", RuntimeWarning)
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != top:
            raise
    raise ConfigurationError(
        f"{top} is needed for this and is not installed",
        hint=f'pip install "loom-odm[{_EXTRAS.get(top, "arrow")}]"',
    )


_imported: set[str] = set()


def is_imported(modules: Iterable[str]) -> bool:
    """Say whether `import_modules` has imported all of these."""
    return _imported.issuperset(modules)


def import_modules(modules: Iterable[str]) -> None:
    """Import modules that need optional libraries, which takes up to a second.

    Raises:
        ConfigurationError: A library is not installed.
    """
    for name in modules:
        importlib.import_module(name)
        _imported.add(name)
