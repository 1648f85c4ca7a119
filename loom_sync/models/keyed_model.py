# Generated from loom_async/models/keyed_model.py by `nox -s sync`: edit that file.
"""The methods of models that find a document by a natural key: fields with a unique index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from loom_async._core.model.document import DocumentModel
from loom_async.documents import get_or_create as async_get_or_create

from ..documents import get_or_create


class KeyedModel(DocumentModel):
    """A model whose documents can be found by fields that a unique index covers."""

    @classmethod
    def get_or_create(
        cls, key: Mapping[str, Any], defaults: Mapping[str, Any] | None = None
    ) -> tuple[Self, bool]:
        """Load the object whose fields have the given values, or insert it if there is none.

        Of many callers that do this at once, one inserts the object and the others load it. A new
        object is validated and its hooks run, as for `insert`; of a loaded one `after_load` runs.

        Parameters:
            key: The values of the fields of a unique index, by name.
            defaults: The values of other fields of a new object; an existing one is not changed.

        Returns:
            The object, and True if it was inserted.

        Raises:
            UnknownFieldError: The model lacks a field.
            ConfigurationError: No declared index is unique on these fields.
            QueryError: A new object would lack a required field or have an invalid value; or a
                value of the key is None.
            DuplicateKey: Another document has the same value in another unique index.
            InvalidDocument: The stored document does not fit the model.

        Example:
            >>> import loom_sync as lm
            >>> by_email = lm.Index("email", unique=True)
            >>> @lm.declare_persist_db("my_app", "users", index=[by_email])
            ... class User(lm.Persistable):
            ...     email: lm.StrLower
            ...     name: str
            >>> def sign_in(email: str) -> None:
            ...     user, created = User.get_or_create({"email": email}, {"name": "new"})
        """
        return get_or_create.get_or_create(cls, key, defaults or {})

    @classmethod
    async def get_or_create_async(
        cls, key: Mapping[str, Any], defaults: Mapping[str, Any] | None = None
    ) -> tuple[Self, bool]:
        """Do as `get_or_create` does, without blocking the event loop."""
        return await async_get_or_create.get_or_create(cls, key, defaults or {})
