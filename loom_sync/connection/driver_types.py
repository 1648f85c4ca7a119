# Generated from loom_async/connection/driver_types.py by `nox -s sync`: edit that file.
"""The driver's classes, whose documents are dicts."""

from __future__ import annotations

from typing import Any, TypeAlias

from pymongo import MongoClient
from pymongo.synchronous.collection import Collection
from pymongo.synchronous.database import Database

Client: TypeAlias = MongoClient[dict[str, Any]]
MongoDatabase: TypeAlias = Database[dict[str, Any]]
MongoCollection: TypeAlias = Collection[dict[str, Any]]
