# Generated from loom_async/queries/__init__.py by `nox -s sync`: edit that file.
"""Queries, aggregations and change streams: what runs a query that `_core.query` describes."""
