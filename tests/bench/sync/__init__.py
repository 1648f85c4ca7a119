# Generated from tests/bench/__init__.py by `nox -s sync`: edit that file.
"""Measurements: never run by the test suite, always in one run against the same server."""
