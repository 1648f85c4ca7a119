# Generated from tests/bench/__init__.py by `nox -s sync`: edit that file, not this one.
"""Measurements: never run by the test suite, always in one run against the same server."""
