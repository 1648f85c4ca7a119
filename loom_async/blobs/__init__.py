"""Bytes of any length beside a document, in GridFS."""
