"""Optional libraries, imported on first use, with an installation hint if they are missing."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

from .errors import ConfigurationError

_EXTRAS = {"pandas": "pandas", "polars": "polars"}


def library(name: str) -> Any:
    """Return an optional library, or a module of one.

    The result is `Any`: the libraries have no types, or types that do not help here.

    Parameters:
        name: The dotted name of the library or module.

    Raises:
        ConfigurationError: The library is not installed.
    """
    top = name.partition(".")[0]
    try:
        with warnings.catch_warnings():
            # pyarrow's classes have grown since pymongoarrow was compiled, which is harmless.
            warnings.filterwarnings("ignore", ".* size changed", RuntimeWarning)
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != top:
            raise
    raise ConfigurationError(
        f"this needs {top}, which is not installed",
        hint=f'pip install "loom-odm[{_EXTRAS.get(top, "arrow")}]"',
    )
