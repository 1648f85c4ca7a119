"""Loom: an async-first object-document mapper for MongoDB on pydantic."""
