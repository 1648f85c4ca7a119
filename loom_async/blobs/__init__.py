"""Bytes of any length that belong to a document, stored in GridFS."""
