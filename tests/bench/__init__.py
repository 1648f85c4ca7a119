"""Benchmarks: not part of the test suite; contenders run in one process, on the same server."""
