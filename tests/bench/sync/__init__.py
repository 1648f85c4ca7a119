# Generated from tests/bench/__init__.py by `nox -s sync`: edit that file.
"""Benchmarks: not part of the test suite; contenders run in one process, on the same server."""
