"""Query results as Arrow tables, pandas and Polars frames, and frames as documents."""

from __future__ import annotations

from .insert import insert_dataframe
from .load import aggregate_arrow

__all__ = ["aggregate_arrow", "insert_dataframe"]
