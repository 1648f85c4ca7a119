"""The driver's classes, whose documents are dicts."""

from __future__ import annotations

from typing import Any, TypeAlias

from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

Client: TypeAlias = AsyncMongoClient[dict[str, Any]]
MongoDatabase: TypeAlias = AsyncDatabase[dict[str, Any]]
MongoCollection: TypeAlias = AsyncCollection[dict[str, Any]]
