# Generated from loom_async/frames/__init__.py by `nox -s sync`: edit that file, not this one.
"""Query results as Arrow tables, pandas and Polars frames, and frames as documents."""

from __future__ import annotations

from .insert import insert_dataframe
from .load import aggregate_arrow
from .update import update_dataframe

__all__ = ["aggregate_arrow", "insert_dataframe", "update_dataframe"]
