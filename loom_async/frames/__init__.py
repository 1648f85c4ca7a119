"""Query results as Arrow tables, pandas and Polars frames."""

from __future__ import annotations

from .load import aggregate_arrow

__all__ = ["aggregate_arrow"]
