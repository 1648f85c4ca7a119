"""Query results as Arrow tables and as pandas and Polars frames, and frames as documents."""
