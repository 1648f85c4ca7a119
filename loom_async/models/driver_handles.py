"""The methods of models that return pymongo's own client, database and collection."""

from __future__ import annotations

from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from .._core.model.document import DocumentModel
from ..collections import find


class DriverHandleModel(DocumentModel):
    """A model that gives access to the driver's objects, for operations that Loom lacks.

    They are those of the current context: of the client of the enclosing block, and of the database
    of `using`. Their operations are not part of a `transaction()`.
    """

    @classmethod
    async def get_db_collection(cls) -> AsyncCollection[dict[str, Any]]:
        """Return pymongo's own collection of this model; creates the declared indexes.

        Returns:
            The collection. Its documents are as stored, with datetimes in UTC and standard UUIDs.

        Raises:
            ConfigurationError: The model was not declared, or there is no server.
            IndexConflict: The data does not allow a declared index; `get_db` creates none.

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
        """Return pymongo's own database that has this model's collection.

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
        """Return pymongo's own client that this model's operations use; do not close it.

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
