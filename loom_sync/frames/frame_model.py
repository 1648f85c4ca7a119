# Generated from loom_async/frames/frame_model.py by `nox -s sync`: edit that file.
"""The methods of models that take or return tables and frames."""

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
from .frame_writer import OnError
from .insert import OnDuplicate

if TYPE_CHECKING:
    from pyarrow import Schema, Table


class FrameModel(DocumentModel):
    """A model whose documents can be loaded as tables, and written from the rows of frames."""

    @classmethod
    def aggregate_arrow(
        cls,
        stages: AggregationStages | Sequence[Mapping[str, Any]],
        schema: Schema | None = None,
    ) -> Table:
        """Run a pipeline over the collection and return its results as a pyarrow Table.

        Parameters:
            stages: The pipeline.
            schema: The schema of the table; None infers it from all results.

        Raises:
            LossyConversion: A value does not fit its column.
            ConfigurationError: pyarrow is not installed, or the type of a column has no equivalent
                in BSON.

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

        Rows are sent in chunks of 5,000. All rows of a chunk are checked before any of them is
        sent, and the next chunk is prepared while one is sent. Columns have the names of the fields
        or their stored names. `_id` or `id` may be a column or the index; a row without an id gets
        a new one. NaN, NaT and NA of pandas are stored as null.

        Parameters:
            frame: A pandas or Polars frame, a pyarrow Table, RecordBatch or RecordBatchReader, or
                a frame that narwhals supports.
            validate: False skips the model's validation. Values are stored as they are and missing
                columns stay missing, but stored names, encoding and auto fields apply.
            on_duplicate: What to do with a row whose id or other unique key exists already:
                `"raise"` refuses the row, `"ignore"` keeps the stored document, `"replace"`
                replaces the stored document with this id.
            on_error: What to do with refused rows: `"raise"` ends the insertion, `"skip"` skips
                them and returns them in the result.
            progress: Whether to show a progress bar; None follows the setting `progress`.

        Returns:
            The number of documents inserted, the ids in the order of the rows, and the refused
            rows.

        Raises:
            FrameError: Rows were refused, a column is not a field of the model, or `frame` is not a
                frame. It names rows, columns and reasons, and the rows written before.

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
        """Update documents from the rows of a frame, whose columns set their fields.

        Each column is validated by its field. Rows are sent in chunks of 5,000. All rows of a chunk
        are checked before any of them is sent.

        Parameters:
            frame: As for `insert_dataframe`.
            on: The key columns: a row updates all documents that have its values in these fields.
            upsert: Whether a row that matches no document inserts a new one.
            on_error: As for `insert_dataframe`.
            progress: As for `insert_dataframe`.

        Returns:
            The numbers of documents matched, modified and inserted, and the refused rows.

        Raises:
            FrameError: Rows were refused, two rows have the same key, a key column is missing, or a
                column is not a field of the model. It names rows, columns and reasons, and the rows
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
        """Return the Arrow schema of this model's tables and frames; may be overridden.

        Returns:
            A schema of the stored names, with nested models as structs. Columns of type null are
            inferred from the data: `Any`, unions of different types, recursive models. None means
            that all columns are inferred, as for a model with `extra="allow"`.

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
