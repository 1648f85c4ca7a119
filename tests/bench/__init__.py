"""Measurements: never run by the test suite, always in one run against the same server."""
