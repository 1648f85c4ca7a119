# Generated from loom_async/collections/__init__.py by `nox -s sync`: edit that file.
"""Finds and creates the collections of models, their indexes and their validators."""
