"""The methods of models that return pymongo's client, database and collection."""

from __future__ import annotations

from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from .._core.model.document import DocumentModel
from ..collections import find


class DriverHandleModel(DocumentModel):
    """A model with access to pymongo's client, database and collection, for what Loom lacks.

    They belong to the client and the database in force. Operations through them are not part of a
    `transaction()`.
    """

    @classmethod
    async def get_db_collection(cls) -> AsyncCollection[dict[str, Any]]:
        """Return pymongo's collection of this model, and create the declared indexes.

        Returns:
            The collection. Its documents are as stored, with datetimes in UTC and standard UUIDs.

        Raises:
            ConfigurationError: The model was not declared, or there is no server.
            IndexConflict: The data does not allow a declared index; `get_db` creates no indexes.

        Example:
            >>> import loom_async as lm
            >>> @lm.declare_persist_db("my_app", "users")
            ... class User(lm.Persistable):
            ...     name: str
            >>> async def main() -> None:
            ...     collection = await User.get_db_collection()
            ...     print(await collection.estimated_document_count())
        """
        return await find.collection_of(cls)

    @classmethod
    async def get_db(cls) -> AsyncDatabase[dict[str, Any]]:
        """Return pymongo's database that has this model's collection.

        Raises:
            ConfigurationError: The model was not declared, or there is no server.

        Example:
            >>> import loom_async as lm
            >>> @lm.declare_persist_db("my_app", "users")
            ... class User(lm.Persistable):
            ...     name: str
            >>> async def main() -> None:
            ...     db = await User.get_db()
            ...     print(await db.list_collection_names())
        """
        return await find.database_of(cls)

    @classmethod
    async def get_db_client(cls) -> AsyncMongoClient[dict[str, Any]]:
        """Return pymongo's client that this model's operations use; do not close it.

        Raises:
            ConfigurationError: The model was not declared, or there is no server.

        Example:
            >>> import loom_async as lm
            >>> @lm.declare_persist_db("my_app", "users")
            ... class User(lm.Persistable):
            ...     name: str
            >>> async def main() -> None:
            ...     client = await User.get_db_client()
            ...     print(await client.server_info())
        """
        return await find.client_for(cls)
