# Generated from loom_async/models/persistable.py by `nox -s sync`: edit that file.
"""Persistable models: the methods that persist, load, query, watch and delete documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self, cast

from pydantic import Field

from loom_async._core.collections.index_comparison import IndexDifference
from loom_async._core.model.fields import TimeInserted, TimeUpdated
from loom_async._core.model.raw_documents import RawDocumentModel
from loom_async._core.model.update_from import PatchableModel
from loom_async._core.model.write_results import PersistResult
from loom_async._core.query.condition import Condition
from loom_async._core.query.stages import AggregationStages
from loom_async.collections import sync_indexes as async_sync_indexes
from loom_async.collections import validator as async_validator
from loom_async.documents import many as async_many
from loom_async.documents import one as async_one
from loom_async.queries import change_stream as async_change_stream

from ..collections import sync_indexes, validator
from ..collections.validator import ValidationAction, ValidationLevel
from ..documents import many, one
from ..frames.frame_model import FrameModel
from ..queries import change_stream
from ..queries.aggregation import Aggregation
from ..queries.change_stream import Changes
from ..queries.load_directive import LoadDirective, query_of
from .driver_handles import DriverHandleModel
from .keyed_model import KeyedModel


class PersistableBase(KeyedModel, DriverHandleModel, FrameModel, RawDocumentModel, PatchableModel):
    """A pydantic model with an `id` whose objects are stored in a MongoDB collection.

    Example:
        >>> import loom_sync as lm
        >>> @lm.declare_persist_db("my_app", "tags")
        ... class Tag(lm.PersistableBase):
        ...     name: str
        >>> def main() -> None:
        ...     Tag(name="new").persist()
    """

    def persist(self) -> bool:
        """Store this object: insert a new one, or update the changed fields of a loaded one.

        An update is one command with the smallest difference; if nothing has changed, nothing is
        sent. Afterwards the object has the values of the stored document, including the changes of
        other writers.

        Returns:
            True if something was written.

        Raises:
            DocumentNotFound: The object was loaded and its document has been deleted since.
            DuplicateKey: Another document has the same value in a unique index.
            EncodingError: A value cannot be stored; nothing was sent.
            OutcomeUnknown: An earlier write may have happened, and the server no longer knows;
                call `reload` first.
            StaleDocument: The model has a `Revision`, and another writer has changed the document.

        Example:
            >>> import loom_sync as lm
            >>> def rename(user: lm.Persistable) -> None:
            ...     if user.persist():
            ...         print("written")
        """
        return one.persist(self)

    async def persist_async(self) -> bool:
        """Do as `persist` does, without blocking the event loop."""
        return await async_one.persist(self)

    def insert(self) -> bool:
        """Store this object as a new document; never replace an existing one.

        Returns:
            True.

        Raises:
            DuplicateKey: Another document has the id, or a value of a unique index.
            EncodingError: A value cannot be stored; nothing was sent.

        Example:
            >>> import loom_sync as lm
            >>> class Country(lm.PersistableBase):
            ...     id: str
            >>> def add(code: str) -> None:
            ...     try:
            ...         Country(id=code).insert()
            ...     except lm.DuplicateKey:
            ...         print("it exists already")
        """
        return one.insert(self)

    async def insert_async(self) -> bool:
        """Do as `insert` does, without blocking the event loop."""
        return await async_one.insert(self)

    def reload(self) -> Self:
        """Load the stored document into this object, and discard its local edits.

        Returns:
            The object itself.

        Raises:
            DocumentNotFound: The document is not in the collection.
            InvalidDocument: It does not fit the model, or it now has the tag of another class; the
                object keeps its values.
        """
        return one.reload(self)

    async def reload_async(self) -> Self:
        """Do as `reload` does, without blocking the event loop."""
        return await async_one.reload(self)

    def delete(self) -> bool:
        """Delete this object's document; a later `persist` inserts it again.

        Returns:
            True if there was a document to delete.

        Raises:
            LedgerIsAppendOnly: The model is a ledger or a time series.
            StaleDocument: The model has a `Revision`, and another writer has changed the document.
        """
        return one.delete(self)

    async def delete_async(self) -> bool:
        """Do as `delete` does, without blocking the event loop."""
        return await async_one.delete(self)

    @classmethod
    def from_id(cls, id: Any) -> Self | None:
        """Load the object with the given id; return None if there is none.

        Parameters:
            id: The id, or text that its type parses: 24 hex digits for an ObjectId.

        Raises:
            InvalidId: The value can never be an id of this model.
            InvalidDocument: The stored document does not fit the model.

        Example:
            >>> import loom_sync as lm
            >>> def find(model: type[lm.Persistable], text: str) -> None:
            ...     print(model.from_id(text))
        """
        return one.from_id(cls, id)

    @classmethod
    async def from_id_async(cls, id: Any) -> Self | None:
        """Do as `from_id` does, without blocking the event loop."""
        return await async_one.from_id(cls, id)

    @classmethod
    def persist_many(
        cls,
        documents: Iterable[Self],
        ordered: bool = False,
        *,
        match_on: Sequence[str] | None = None,
    ) -> PersistResult:
        """Store new and changed objects as `persist` does, but in few commands.

        Parameters:
            documents: Objects of this model; an object that occurs twice is written once.
            ordered: True stops at the first document that cannot be written; False writes all
                others.
            match_on: The fields of a unique index, by which new objects are upserted: the document
                with these values gets the fields that the object sets, and its counters are added;
                without one, the object is inserted. It gets the stored id and values.

        Returns:
            The numbers of inserted, updated and unchanged objects.

        Raises:
            TypeError: An item is not an object of this model; nothing was sent.
            BulkError: Some documents could not be written; `entries` names each.
            UnknownFieldError: The model lacks a field of `match_on`.
            ConfigurationError: No declared index is unique on the fields of `match_on`.

        Example:
            >>> import loom_sync as lm
            >>> def store(model: type[lm.Persistable], rows: list[lm.Persistable]) -> None:
            ...     print(model.persist_many(rows))
        """
        return many.persist_many(cls, documents, ordered=ordered, match_on=match_on)

    @classmethod
    async def persist_many_async(
        cls,
        documents: Iterable[Self],
        ordered: bool = False,
        *,
        match_on: Sequence[str] | None = None,
    ) -> PersistResult:
        """Do as `persist_many` does, without blocking the event loop."""
        return await async_many.persist_many(cls, documents, ordered=ordered, match_on=match_on)

    @classmethod
    def filter(cls, *conditions: Condition[Self]) -> LoadDirective[Self]:
        """Return a query for the documents that meet all conditions; nothing is sent yet.

        Parameters:
            *conditions: `fld["age"] > 25`, or `lambda u: u.age > 25`.

        Raises:
            UnknownFieldError: A condition names a field that the model lacks.
            QueryError: An argument is not a condition.

        Example:
            >>> import loom_sync as lm
            >>> class User(lm.Persistable):
            ...     age: int
            >>> adults = User.filter(lm.fld["age"] >= 18)
        """
        return query_of(cls).filter(*conditions)

    @classmethod
    def agg(
        cls, stages: AggregationStages | Sequence[Mapping[str, Any]]
    ) -> Aggregation[dict[str, Any]]:
        """Return an aggregation over the whole collection; its rows are dicts.

        Parameters:
            stages: The pipeline.
        """
        return query_of(cls).agg(stages)

    @classmethod
    def watch(cls, *, resume_after: str | None = None) -> Changes[Self]:
        """Return a change stream of this model's documents, from now on or after a token.

        A loop over it opens and closes the change stream. In a block (`with`) it is open when
        the body begins, so that no later change is missed. It resumes after a broken connection: no
        change is lost or repeated.

        Parameters:
            resume_after: The token of the change to resume after.

        Raises:
            QueryError: `resume_after` is not a token.
            TransactionError: A transaction is in force.
            ConnectionFailed: While iterating: the server could not be reached again within the
                setting `server_timeout`.
            OperationFailed: While iterating: the server no longer has the changes since the token;
                `code` is 286.
            InvalidDocument: While iterating: a document does not fit the model. Iterating again
                continues after this change.

        Example:
            >>> import loom_sync as lm
            >>> @lm.declare_persist_db("my_app", "users")
            ... class User(lm.Persistable):
            ...     name: str
            >>> def main() -> None:
            ...     for change in User.watch():
            ...         print(change.operation, change.document)
        """
        return change_stream.watch(cls, resume_after=resume_after)

    @classmethod
    def watch_async(cls, *, resume_after: str | None = None) -> async_change_stream.Changes[Self]:
        """Yield as `watch` does, without blocking the event loop."""
        return async_change_stream.watch(cls, resume_after=resume_after)

    @classmethod
    def create_collection(cls) -> bool:
        """Create the collection as declared, with its indexes, if it does not exist.

        The first operation does so automatically for time series and for models with indexes.

        Returns:
            True if it was created.

        Raises:
            ConfigurationError: A collection of another kind has this name.
            IndexConflict: The data of the collection does not allow a declared index.
        """
        return sync_indexes.create_collection(cls)

    @classmethod
    async def create_collection_async(cls) -> bool:
        """Do as `create_collection` does, without blocking the event loop."""
        return await async_sync_indexes.create_collection(cls)

    @classmethod
    def sync_indexes(cls, drop: bool = False) -> IndexDifference:
        """Create the declared indexes that are missing, and return the difference.

        Parameters:
            drop: Whether also to drop undeclared indexes, and to recreate changed ones.

        Returns:
            The indexes that were created, dropped and recreated; without `drop`, also those that
            differ and were kept, with the reasons. It is false if nothing differs.

        Raises:
            IndexConflict: The data of the collection does not allow a declared index; the
                collection keeps its indexes.
            UnknownFieldError: An index names a field that the model lacks; nothing was sent.
            TransactionError: A transaction is in force; nothing was sent.

        Example:
            >>> import loom_sync as lm
            >>> def upgrade(model: type[lm.Persistable]) -> None:
            ...     difference = model.sync_indexes(drop=True)
            ...     print(difference.created, difference.reasons)
        """
        return sync_indexes.sync_indexes(cls, drop=drop)

    @classmethod
    async def sync_indexes_async(cls, drop: bool = False) -> IndexDifference:
        """Do as `sync_indexes` does, without blocking the event loop."""
        return await async_sync_indexes.sync_indexes(cls, drop=drop)

    @classmethod
    def ensure_validator(
        cls, level: ValidationLevel = "strict", action: ValidationAction = "error"
    ) -> dict[str, Any]:
        """Set a validator, so that the server refuses documents that do not fit this model.

        Its schema covers the stored types of the fields, required fields, limits of numbers and
        lengths, simple patterns and, with `extra="forbid"`, unknown fields. Every document that
        Loom writes for a valid object passes. The collection is created if it does not exist;
        another call replaces the validator.

        Parameters:
            level: `"strict"` checks every write, `"moderate"` does not check updates of documents
                that were invalid before, `"off"` checks none.
            action: `"error"` refuses the write, `"warn"` only logs it on the server.

        Returns:
            The `$jsonSchema` of the collection's validator.

        Raises:
            TransactionError: A transaction is in force; nothing was sent.
            QueryError: `level` or `action` has another value.

        Example:
            >>> import loom_sync as lm
            >>> @lm.declare_persist_db("my_app", "users")
            ... class User(lm.Persistable):
            ...     name: str
            >>> def set_up() -> None:
            ...     print(User.ensure_validator())
        """
        return validator.ensure_validator(cls, level=level, action=action)

    @classmethod
    async def ensure_validator_async(
        cls, level: ValidationLevel = "strict", action: ValidationAction = "error"
    ) -> dict[str, Any]:
        """Do as `ensure_validator` does, without blocking the event loop."""
        return await async_validator.ensure_validator(cls, level=level, action=action)


class Persistable(PersistableBase):
    """A `PersistableBase` with the times of its insertion and its last write, in UTC.

    Example:
        >>> import loom_sync as lm
        >>> @lm.declare_persist_db("my_app", "users")
        ... class User(lm.Persistable):
        ...     name: str
    """

    # None until the first persist; the types are those afterwards.
    created_at: TimeInserted = Field(default=cast("Any", None))
    updated_time: TimeUpdated = Field(default=cast("Any", None))
