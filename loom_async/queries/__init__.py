"""Queries, aggregations and change streams."""
