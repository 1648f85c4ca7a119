# Generated from loom_async/connection/__init__.py by `nox -s sync`: edit that file.
"""Which server and database an operation uses: clients, blocks and the embedded server."""
