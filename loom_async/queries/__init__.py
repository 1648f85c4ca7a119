"""Queries, aggregations and change streams: what runs a query that `_core.query` describes."""
