"""The optional libraries of this folder, imported with a hint for whoever lacks them."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

from ..errors import ConfigurationError

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
