# Generated from loom_async/frames/frame_model.py by `nox -s sync`: edit that file.
"""Models as frames: columns of their fields, documents from rows, tables from pipelines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from loom_async._core.frames.results import InsertResult, UpdateResult
from loom_async._core.model.document import DocumentModel
from loom_async._core.query.stages import AggregationStages
from loom_async.frames import insert as async_insert
from loom_async.frames import load as async_load
from loom_async.frames import update as async_update

from . import insert, load, update
from .insert import OnDuplicate, OnError

if TYPE_CHECKING:
    from pyarrow import Schema, Table


class FrameModel(DocumentModel):
    """A model whose documents can be had as tables, and made of the rows of frames."""

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
        return load.aggregate_arrow(cls, stages, schema=schema)

    @classmethod
    async def aggregate_arrow_async(
        cls,
        stages: AggregationStages | Sequence[Mapping[str, Any]],
        schema: Schema | None = None,
    ) -> Table:
        """Do as `aggregate_arrow` does, without blocking the event loop."""
        return await async_load.aggregate_arrow(cls, stages, schema=schema)

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
        return insert.insert_dataframe(
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
        return await async_insert.insert_dataframe(
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
        return update.update_dataframe(
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
        return await async_update.update_dataframe(
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
