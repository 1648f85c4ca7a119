"""Query results as Arrow tables, pandas and Polars frames, and frames as documents."""
