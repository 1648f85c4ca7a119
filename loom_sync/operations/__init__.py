# Generated from loom_async/operations/__init__.py by `nox -s sync`: edit that file.
"""Calls of the driver: where a call goes, its transaction, and commands that are retried."""
