# Generated from loom_async/collections/__init__.py by `nox -s sync`: edit that file.
"""The collection of a model: found, created, its indexes and its validator."""
