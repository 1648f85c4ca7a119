# Generated from loom_async/documents/__init__.py by `nox -s sync`: edit that file.
"""Documents as objects: one, many, found by id, reloaded and deleted."""
