# Generated from loom_async/models/__init__.py by `nox -s sync`: edit that file.
"""The classes that users extend."""
