# Generated from loom_async/models/driver_handles.py by `nox -s sync`: edit that file.
"""The methods of models that return pymongo's client, database and collection."""

from __future__ import annotations

from typing import Any

from pymongo import AsyncMongoClient, MongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.synchronous.collection import Collection
from pymongo.synchronous.database import Database

from loom_async._core.model.document import DocumentModel
from loom_async.collections import find as async_find

from ..collections import find


class DriverHandleModel(DocumentModel):
    """A model with access to pymongo's client, database and collection, for what Loom lacks.

    They belong to the client and the database in force. Operations through them are not part of a
    `transaction()`.
    """

    @classmethod
    def get_db_collection(cls) -> Collection[dict[str, Any]]:
        """Return pymongo's collection of this model, and create the declared indexes.

        Returns:
            The collection. Its documents are as stored, with datetimes in UTC and standard UUIDs.

        Raises:
            ConfigurationError: The model was not declared, or there is no server.
            IndexConflict: The data does not allow a declared index; `get_db` creates no indexes.

        Example:
            >>> import loom_sync as lm
            >>> @lm.declare_persist_db("my_app", "users")
            ... class User(lm.Persistable):
            ...     name: str
            >>> def main() -> None:
            ...     collection = User.get_db_collection()
            ...     print(collection.estimated_document_count())
        """
        return find.collection_of(cls)

    @classmethod
    async def get_db_collection_async(cls) -> AsyncCollection[dict[str, Any]]:
        """Do as `get_db_collection` does, without blocking the event loop."""
        return await async_find.collection_of(cls)

    @classmethod
    def get_db(cls) -> Database[dict[str, Any]]:
        """Return pymongo's database that has this model's collection.

        Raises:
            ConfigurationError: The model was not declared, or there is no server.

        Example:
            >>> import loom_sync as lm
            >>> @lm.declare_persist_db("my_app", "users")
            ... class User(lm.Persistable):
            ...     name: str
            >>> def main() -> None:
            ...     db = User.get_db()
            ...     print(db.list_collection_names())
        """
        return find.database_of(cls)

    @classmethod
    async def get_db_async(cls) -> AsyncDatabase[dict[str, Any]]:
        """Do as `get_db` does, without blocking the event loop."""
        return await async_find.database_of(cls)

    @classmethod
    def get_db_client(cls) -> MongoClient[dict[str, Any]]:
        """Return pymongo's client that this model's operations use; do not close it.

        Raises:
            ConfigurationError: The model was not declared, or there is no server.

        Example:
            >>> import loom_sync as lm
            >>> @lm.declare_persist_db("my_app", "users")
            ... class User(lm.Persistable):
            ...     name: str
            >>> def main() -> None:
            ...     client = User.get_db_client()
            ...     print(client.server_info())
        """
        return find.client_for(cls)

    @classmethod
    async def get_db_client_async(cls) -> AsyncMongoClient[dict[str, Any]]:
        """Do as `get_db_client` does, without blocking the event loop."""
        return await async_find.client_for(cls)
