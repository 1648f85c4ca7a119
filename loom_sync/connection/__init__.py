# Generated from loom_async/connection/__init__.py by `nox -s sync`: edit that file.
"""Clients, the blocks that choose one, and the embedded server."""
