# Generated from loom_async/frames/__init__.py by `nox -s sync`: edit that file.
"""Query results as Arrow tables and as pandas and Polars frames, and frames as documents."""
