# Generated from loom_async/persistable.py by `nox -s sync`: edit that file, not this one.
"""Persistable models: one document in, one document out, and only changes go over the wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, cast

from pydantic import Field

from loom_async import bulk as async_bulk
from loom_async import documents as async_documents
from loom_async import frames as async_frames
from loom_async import index_sync as async_index_sync
from loom_async import validators as async_validators
from loom_async import watch as async_watch
from loom_async._core.frames.results import InsertResult, UpdateResult
from loom_async._core.model.document import DocumentModel
from loom_async._core.model.fields import TimeInserted, TimeUpdated
from loom_async._core.model.index_plan import IndexDifference
from loom_async._core.model.results import PersistResult
from loom_async._core.query.condition import Condition
from loom_async._core.query.stages import AggregationStages

from . import bulk, documents, frames, index_sync, validators, watch
from .aggregation import Aggregation
from .directive import LoadDirective, query_of
from .frames.insert import OnDuplicate, OnError
from .validators import ValidationAction, ValidationLevel
from .watch import Changes

if TYPE_CHECKING:
    from pyarrow import Schema, Table


class PersistableBase(DocumentModel):
    """A pydantic model with an `id` whose objects live in a MongoDB collection.

    Example:
        >>> import loom_sync as lm
        >>> @lm.declare_persist_db("my_app", "tags")
        ... class Tag(lm.PersistableBase):
        ...     name: str
        >>> def main() -> None:
        ...     Tag(name="new").persist()
    """

    def persist(self) -> bool:
        """Make the database hold this object as it is now, by one call or, if it does, by none.

        A new object is inserted whole. A loaded one sends the smallest update of what changed;
        afterwards it holds what the server has, so also what others changed meanwhile.

        Returns:
            True if something was written.

        Raises:
            DocumentNotFound: The object was loaded and its document has been deleted since.
            DuplicateKey: A unique index has another document with this value.
            EncodingError: A value cannot be stored; nothing was sent.
            OutcomeUnknown: An earlier `persist` failed and may have happened all the same, and this
                one would count or append once more; `reload` first.

        Example:
            >>> import loom_sync as lm
            >>> def rename(user: lm.Persistable) -> None:
            ...     if user.persist():
            ...         print("written")
        """
        return documents.persist(self)

    async def persist_async(self) -> bool:
        """Do as `persist` does, without blocking the event loop."""
        return await async_documents.persist(self)

    def reload(self) -> Self:
        """Make this object hold what the database has, local edits given up.

        Returns:
            The object itself.

        Raises:
            DocumentNotFound: The document is not in the collection.
        """
        return documents.reload(self)

    async def reload_async(self) -> Self:
        """Do as `reload` does, without blocking the event loop."""
        return await async_documents.reload(self)

    def delete(self) -> bool:
        """Delete this object's document; the object may be persisted anew afterwards.

        Returns:
            True if there was a document to delete.
        """
        return documents.delete(self)

    async def delete_async(self) -> bool:
        """Do as `delete` does, without blocking the event loop."""
        return await async_documents.delete(self)

    @classmethod
    def from_id(cls, id: Any) -> Self | None:
        """Return the object of an id, or None if there is none.

        Parameters:
            id: The id, or text that its type parses: 24 hex digits for an ObjectId.

        Raises:
            InvalidId: This can never be the id of such a document.
            InvalidDocument: The stored document does not fit the model.

        Example:
            >>> import loom_sync as lm
            >>> def find(model: type[lm.Persistable], text: str) -> None:
            ...     print(model.from_id(text))
        """
        return documents.from_id(cls, id)

    @classmethod
    async def from_id_async(cls, id: Any) -> Self | None:
        """Do as `from_id` does, without blocking the event loop."""
        return await async_documents.from_id(cls, id)

    @classmethod
    def persist_many(cls, documents: Iterable[Self], ordered: bool = False) -> PersistResult:
        """Write new and changed objects in few bulk writes; ids, counters and times come back.

        Parameters:
            documents: Objects of this model; one that is given twice is written once.
            ordered: Stop at the first document that cannot be written; else write all others.

        Returns:
            How many were inserted, updated and unchanged.

        Raises:
            TypeError: An element is no object of this model; nothing was sent.
            BulkError: Some documents were refused; `entries` names each.

        Example:
            >>> import loom_sync as lm
            >>> def store(model: type[lm.Persistable], rows: list[lm.Persistable]) -> None:
            ...     print(model.persist_many(rows))
        """
        return bulk.persist_many(cls, documents, ordered=ordered)

    @classmethod
    async def persist_many_async(
        cls, documents: Iterable[Self], ordered: bool = False
    ) -> PersistResult:
        """Do as `persist_many` does, without blocking the event loop."""
        return await async_bulk.persist_many(cls, documents, ordered=ordered)

    @classmethod
    def filter(cls, *conditions: Condition[Self]) -> LoadDirective[Self]:
        """Return a query for the documents that meet all conditions; nothing is sent yet.

        Parameters:
            *conditions: `fld["age"] > 25`, or `lambda u: u.age > 25`.

        Raises:
            UnknownFieldError: A condition names a field that the model lacks.
            QueryError: A condition is not one.

        Example:
            >>> import loom_sync as lm
            >>> class User(lm.Persistable):
            ...     age: int
            >>> adults = User.filter(lm.fld["age"] >= 18)
        """
        return query_of(cls).filter(*conditions)

    @classmethod
    def agg(cls, stages: AggregationStages) -> Aggregation[dict[str, Any]]:
        """Return an aggregation over the whole collection; its rows are dicts.

        Parameters:
            stages: The pipeline.
        """
        return query_of(cls).agg(stages)

    @classmethod
    def watch(cls, *, resume_after: str | None = None) -> Changes[Self]:
        """Return the changes of this model's documents, from now on or from a token on.

        A loop over them opens the stream and closes it. In a block the stream is open when the
        body begins, so that no change after that is missed. When the connection breaks, the stream
        goes on where it was: nothing is lost, and nothing comes twice.

        Parameters:
            resume_after: The token of the change to go on after.

        Raises:
            QueryError: `resume_after` is no token.
            TransactionError: This is inside a transaction.
            ConnectionFailed: While iterating: the server could not be reached again within the
                setting `server_timeout`.
            OperationFailed: While iterating: the server no longer has the changes since the token;
                `code` is 286.
            InvalidDocument: While iterating: a document does not fit the model. Iterating again
                goes on after it.

        Example:
            >>> import loom_sync as lm
            >>> @lm.declare_persist_db("my_app", "users")
            ... class User(lm.Persistable):
            ...     name: str
            >>> def main() -> None:
            ...     for change in User.watch():
            ...         print(change.operation, change.document)
        """
        return watch.watch(cls, resume_after=resume_after)

    @classmethod
    def watch_async(cls, *, resume_after: str | None = None) -> async_watch.Changes[Self]:
        """Yield as `watch` does, without blocking the event loop."""
        return async_watch.watch(cls, resume_after=resume_after)

    @classmethod
    def aggregate_arrow(
        cls,
        stages: AggregationStages | Sequence[Mapping[str, Any]],
        schema: Schema | None = None,
    ) -> Table:
        """Return what a pipeline over the whole collection gives as a pyarrow Table.

        Parameters:
            stages: The pipeline.
            schema: The columns wanted; None infers them from all that the pipeline gives.

        Raises:
            LossyConversion: A value does not fit its column.
            ConfigurationError: pyarrow is not installed, or MongoDB lacks a column's type.

        Example:
            >>> import loom_sync as lm
            >>> @lm.declare_persist_db("my_app", "users")
            ... class User(lm.Persistable):
            ...     age: int
            >>> stages = lm.AggregationStages().group({"_id": "$age", "n": {"$sum": 1}})
            >>> def main() -> None:
            ...     print(User.aggregate_arrow(stages))
        """
        return frames.aggregate_arrow(cls, stages, schema=schema)

    @classmethod
    async def aggregate_arrow_async(
        cls,
        stages: AggregationStages | Sequence[Mapping[str, Any]],
        schema: Schema | None = None,
    ) -> Table:
        """Do as `aggregate_arrow` does, without blocking the event loop."""
        return await async_frames.aggregate_arrow(cls, stages, schema=schema)

    @classmethod
    def insert_dataframe(
        cls,
        frame: Any,
        *,
        validate: bool = True,
        on_duplicate: OnDuplicate = "raise",
        on_error: OnError = "raise",
        progress: bool | None = None,
    ) -> InsertResult:
        """Store each row of a frame as a document of this model.

        Rows are read, checked and sent in chunks of 5,000; a chunk is checked before any of it is
        sent, and the next one is made ready meanwhile. Columns go by the names of the fields or by
        their stored names; `_id` or `id` may be a column or the index, a row without gets an id.
        NaN, NaT and NA of pandas are stored as null.

        Parameters:
            frame: A pandas or Polars frame, a pyarrow Table, RecordBatch or RecordBatchReader, or
                one that narwhals knows.
            validate: False skips the model's validation, but not its names, its normalisation and
                its times: values are stored as they are, columns that are missing stay missing.
            on_duplicate: What becomes of a row whose id, or other unique key, is there already:
                `"raise"` refuses it, `"ignore"` leaves what is there, `"replace"` puts the row in
                its place, by id.
            on_error: What becomes of rows that are refused: `"raise"` ends the insertion,
                `"skip"` leaves them out and returns them.
            progress: Whether to show a progress bar; None as the settings say.

        Returns:
            The number of documents inserted, the ids in the order of the rows, the rows refused.

        Raises:
            FrameError: Rows were refused, a column is none of the model's, or it is no frame. It
                names rows, columns and reasons, and the rows that had been written before.

        Example:
            >>> import loom_sync as lm
            >>> @lm.declare_persist_db("my_app", "users")
            ... class User(lm.Persistable):
            ...     name: str
            >>> def store(frame: object) -> None:
            ...     result = User.insert_dataframe(frame, on_duplicate="ignore")
            ...     print(result.inserted)
        """
        return frames.insert_dataframe(
            cls,
            frame,
            validate=validate,
            on_duplicate=on_duplicate,
            on_error=on_error,
            progress=progress,
        )

    @classmethod
    async def insert_dataframe_async(
        cls,
        frame: Any,
        *,
        validate: bool = True,
        on_duplicate: OnDuplicate = "raise",
        on_error: OnError = "raise",
        progress: bool | None = None,
    ) -> InsertResult:
        """Do as `insert_dataframe` does, without blocking the event loop."""
        return await async_frames.insert_dataframe(
            cls,
            frame,
            validate=validate,
            on_duplicate=on_duplicate,
            on_error=on_error,
            progress=progress,
        )

    @classmethod
    def update_dataframe(
        cls,
        frame: Any,
        *,
        on: Sequence[str] = ("id",),
        upsert: bool = False,
        on_error: OnError = "raise",
        progress: bool | None = None,
    ) -> UpdateResult:
        """Set the fields of documents to what a frame's rows say.

        Each column is checked by its field. Rows are sent in chunks of 5,000; a chunk is checked
        before any of it is sent.

        Parameters:
            frame: As for `insert_dataframe`.
            on: The columns that say which documents a row is for: all that have these values.
            upsert: Whether a row that meets no document becomes a new one.
            on_error: As for `insert_dataframe`.
            progress: As for `insert_dataframe`.

        Returns:
            The numbers of documents matched, modified and inserted, the rows refused.

        Raises:
            FrameError: Rows were refused, two rows have the same key, or a column is missing or
                none of the model's. It names rows, columns and reasons, and the rows that had been
                written before.

        Example:
            >>> import loom_sync as lm
            >>> @lm.declare_persist_db("my_app", "users")
            ... class User(lm.Persistable):
            ...     email: str
            >>> def store(frame: object) -> None:
            ...     result = User.update_dataframe(frame, on=["email"], upsert=True)
            ...     print(result.modified, result.inserted)
        """
        return frames.update_dataframe(
            cls, frame, on=on, upsert=upsert, on_error=on_error, progress=progress
        )

    @classmethod
    async def update_dataframe_async(
        cls,
        frame: Any,
        *,
        on: Sequence[str] = ("id",),
        upsert: bool = False,
        on_error: OnError = "raise",
        progress: bool | None = None,
    ) -> UpdateResult:
        """Do as `update_dataframe` does, without blocking the event loop."""
        return await async_frames.update_dataframe(
            cls, frame, on=on, upsert=upsert, on_error=on_error, progress=progress
        )

    @classmethod
    def get_arrow_schema(cls) -> Schema | None:
        """Return the columns of this model's frames; a subclass may say others.

        Returns:
            A schema of the stored names, with nested models as structs. A column of type null is
            inferred from the data: `Any`, unions of unlike types, a model inside itself. None
            infers all of them, which is so for a model of `extra="allow"`.

        Raises:
            ConfigurationError: pyarrow is not installed.

        Example:
            >>> import loom_sync as lm
            >>> class User(lm.PersistableBase):
            ...     age: int
            >>> print(User.get_arrow_schema().field("age").type)
            int64
        """
        from loom_async._core.arrow.schema import schema_of

        schema: Schema | None = schema_of(cls)
        return schema

    @classmethod
    def create_collection(cls) -> bool:
        """Make the collection as it is declared, with its indexes, unless it is there.

        The first operation does so by itself for time series and where indexes are declared.

        Returns:
            True if it was made.

        Raises:
            ConfigurationError: There is another kind of collection.
            IndexConflict: The data of the collection does not allow a declared index.
        """
        return index_sync.create_collection(cls)

    @classmethod
    async def create_collection_async(cls) -> bool:
        """Do as `create_collection` does, without blocking the event loop."""
        return await async_index_sync.create_collection(cls)

    @classmethod
    def sync_indexes(cls, drop: bool = False) -> IndexDifference:
        """Make the declared indexes that are missing and return the difference.

        Parameters:
            drop: Also remove undeclared indexes and make changed ones anew.

        Returns:
            What was made and dropped, and without `drop` also what was left alone, with the
            reasons. It is false where nothing differs.

        Raises:
            IndexConflict: The data of the collection does not allow a declared index; it has
                the indexes that it had.
            UnknownFieldError: An index names a field that the model lacks; nothing was sent.
            TransactionError: It is inside a transaction; nothing was sent.

        Example:
            >>> import loom_sync as lm
            >>> def upgrade(model: type[lm.Persistable]) -> None:
            ...     difference = model.sync_indexes(drop=True)
            ...     print(difference.created, difference.reasons)
        """
        return index_sync.sync_indexes(cls, drop=drop)

    @classmethod
    async def sync_indexes_async(cls, drop: bool = False) -> IndexDifference:
        """Do as `sync_indexes` does, without blocking the event loop."""
        return await async_index_sync.sync_indexes(cls, drop=drop)

    @classmethod
    def ensure_validator(
        cls, level: ValidationLevel = "strict", action: ValidationAction = "error"
    ) -> dict[str, Any]:
        """Have the server refuse documents that this model could not have written.

        The schema is made of the model: the stored types of its fields, those that must be there,
        limits of numbers, lengths and simple patterns, and with `extra="forbid"` no other fields.
        All that Loom writes for a valid object passes. The collection is made if there is none;
        calling this again puts another validator in the place of the first.

        Parameters:
            level: `"strict"` checks every write, `"moderate"` lets documents be that did not pass
                before, `"off"` checks none.
            action: `"error"` refuses the write, `"warn"` notes it in the server's log.

        Returns:
            The `$jsonSchema` that was put on the collection.

        Raises:
            TransactionError: It is inside a transaction; nothing was sent.
            QueryError: The level or the action is none of these.

        Example:
            >>> import loom_sync as lm
            >>> @lm.declare_persist_db("my_app", "users")
            ... class User(lm.Persistable):
            ...     name: str
            >>> def set_up() -> None:
            ...     print(User.ensure_validator())
        """
        return validators.ensure_validator(cls, level=level, action=action)

    @classmethod
    async def ensure_validator_async(
        cls, level: ValidationLevel = "strict", action: ValidationAction = "error"
    ) -> dict[str, Any]:
        """Do as `ensure_validator` does, without blocking the event loop."""
        return await async_validators.ensure_validator(cls, level=level, action=action)


class Persistable(PersistableBase):
    """A `PersistableBase` that knows when it was inserted and last written, in UTC.

    Example:
        >>> import loom_sync as lm
        >>> @lm.declare_persist_db("my_app", "users")
        ... class User(lm.Persistable):
        ...     name: str
    """

    # None until the first persist; typed as what they are from then on.
    created_at: TimeInserted = Field(default=cast("Any", None))
    updated_time: TimeUpdated = Field(default=cast("Any", None))
