"""Queries without I/O: conditions and their compiler, aggregation stages, query specs."""
