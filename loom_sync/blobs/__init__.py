# Generated from loom_async/blobs/__init__.py by `nox -s sync`: edit that file.
"""Bytes of any length that belong to a document, stored in GridFS."""
