# Generated from loom_async/frames/frame_query.py by `nox -s sync`: edit that file.
"""The methods of queries that load Arrow tables and pandas and Polars frames."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, TypeVar

from loom_async._core.argument_checks import check_count
from loom_async._core.arrow.mismatches import OnMismatch
from loom_async._core.context import current_context
from loom_async._core.query.query_builder import QueryBuilder
from loom_async._core.settings import settings
from loom_async.frames import frame_query as async_frame_query

from .. import _concurrency
from .arrow_imports import PANDAS, POLARS, import_arrow
from .load import load_batches, load_table

if TYPE_CHECKING:
    from pandas import DataFrame
    from polars import DataFrame as PolarsFrame
    from pyarrow import RecordBatch, Schema, Table

M = TypeVar("M")


class FrameQuery(QueryBuilder[M]):
    """A query that loads its results as tables and frames.

    The columns are those of the model's `get_arrow_schema()`; after a stage that reshapes the
    documents, they are inferred from all results. A frame has exactly the values that `load_docs()`
    returns, or the load fails.
    """

    __slots__ = ()

    def load_table(
        self,
        *,
        on_mismatch: OnMismatch = "raise",
        check: bool = True,
        progress: bool | None = None,
    ) -> Table:
        """Return all results as a pyarrow Table.

        Parameters:
            on_mismatch: What to do with a value that its column cannot hold exactly. `"raise"`
                raises LossyConversion. `"widen"` changes the column to a type that holds all
                its values, or to text if there is none. `"null"` stores null instead, and counts
                such values by path in the table's metadata under `loom.nulled`, as JSON.
            check: False skips the comparison of documents with the schema, which is faster. Values
                that do not fit it may then change silently.
            progress: Whether to show a progress bar; None follows the setting `progress`.

        Raises:
            LossyConversion: A value does not fit its column.
            ConfigurationError: pyarrow is not installed.

        Example:
            >>> import loom_sync as lm
            >>> @lm.declare_persist_db("my_app", "users")
            ... class User(lm.Persistable):
            ...     age: int
            >>> def main() -> None:
            ...     table = User.filter(lm.fld["age"] > 20).load_table()
            ...     print(table.num_rows)
        """
        return load_table(
            self._model,
            self._spec,
            self._arrow_schema,
            on_mismatch=on_mismatch,
            check=check,
            progress=progress,
        )

    async def load_table_async(
        self,
        *,
        on_mismatch: OnMismatch = "raise",
        check: bool = True,
        progress: bool | None = None,
    ) -> Table:
        """Do as `load_table` does, without blocking the event loop."""
        return await self._async.load_table(on_mismatch=on_mismatch, check=check, progress=progress)

    def load_dataframe(
        self,
        *,
        on_mismatch: OnMismatch = "raise",
        check: bool = True,
        progress: bool | None = None,
    ) -> DataFrame:
        """Return all results as a pandas frame with `_id` as its index.

        Parameters:
            on_mismatch: As for `load_table`.
            check: As for `load_table`.
            progress: As for `load_table`.

        Raises:
            LossyConversion: A value does not fit its column.
            ConfigurationError: pandas or pyarrow is not installed.

        Example:
            >>> import loom_sync as lm
            >>> @lm.declare_persist_db("my_app", "users")
            ... class User(lm.Persistable):
            ...     age: int
            >>> def main() -> None:
            ...     frame = User.filter().load_dataframe(on_mismatch="widen")
            ...     print(frame["age"].mean())
        """
        import_arrow(PANDAS)
        from loom_async._core.arrow.pandas_frames import to_pandas

        table = self.load_table(on_mismatch=on_mismatch, check=check, progress=progress)
        frame: DataFrame = _concurrency.in_worker(settings().arrow_workers, to_pandas, table)
        return frame

    async def load_dataframe_async(
        self,
        *,
        on_mismatch: OnMismatch = "raise",
        check: bool = True,
        progress: bool | None = None,
    ) -> DataFrame:
        """Do as `load_dataframe` does, without blocking the event loop."""
        return await self._async.load_dataframe(
            on_mismatch=on_mismatch, check=check, progress=progress
        )

    def load_polars(
        self,
        *,
        on_mismatch: OnMismatch = "raise",
        check: bool = True,
        progress: bool | None = None,
    ) -> PolarsFrame:
        """Return all results as a Polars frame.

        Parameters:
            on_mismatch: As for `load_table`.
            check: As for `load_table`.
            progress: As for `load_table`.

        Raises:
            LossyConversion: A value does not fit its column.
            ConfigurationError: Polars or pyarrow is not installed.

        Example:
            >>> import loom_sync as lm
            >>> @lm.declare_persist_db("my_app", "users")
            ... class User(lm.Persistable):
            ...     age: int
            >>> def main() -> None:
            ...     frame = User.filter().load_polars()
            ...     print(frame["age"].mean())
        """
        import_arrow(POLARS)
        from loom_async._core.arrow.polars_frames import to_polars

        table = self.load_table(on_mismatch=on_mismatch, check=check, progress=progress)
        frame: PolarsFrame = _concurrency.in_worker(settings().arrow_workers, to_polars, table)
        return frame

    async def load_polars_async(
        self,
        *,
        on_mismatch: OnMismatch = "raise",
        check: bool = True,
        progress: bool | None = None,
    ) -> PolarsFrame:
        """Do as `load_polars` does, without blocking the event loop."""
        return await self._async.load_polars(
            on_mismatch=on_mismatch, check=check, progress=progress
        )

    def load_batches(
        self,
        rows: int = 65_536,
        *,
        on_mismatch: OnMismatch = "raise",
        check: bool = True,
        progress: bool | None = None,
    ) -> Iterator[RecordBatch]:
        """Yield all results as record batches, for results that do not fit into memory.

        Parameters:
            rows: The rows of each batch; the last may have fewer.
            on_mismatch: As for `load_table`; a column can widen only before the first batch is
                yielded.
            check: As for `load_table`.
            progress: As for `load_table`.

        Raises:
            LossyConversion: A value does not fit its column.
            ConfigurationError: pyarrow is not installed.

        Example:
            >>> import loom_sync as lm
            >>> @lm.declare_persist_db("my_app", "users")
            ... class User(lm.Persistable):
            ...     age: int
            >>> def main() -> None:
            ...     for batch in User.filter().load_batches(rows=10_000):
            ...         print(batch.num_rows)
        """
        check_count("rows", rows, least=1)
        return load_batches(
            self._model,
            self._spec,
            self._arrow_schema,
            current_context(),
            rows=rows,
            on_mismatch=on_mismatch,
            check=check,
            progress=progress,
        )

    def load_batches_async(
        self,
        rows: int = 65_536,
        *,
        on_mismatch: OnMismatch = "raise",
        check: bool = True,
        progress: bool | None = None,
    ) -> AsyncIterator[RecordBatch]:
        """Yield as `load_batches` does, without blocking the event loop."""
        return self._async.load_batches(
            rows, on_mismatch=on_mismatch, check=check, progress=progress
        )

    def _arrow_schema(self) -> Schema | None:
        """Return the schema of the results; None to infer it from them."""
        return None

    @property
    def _async(self) -> async_frame_query.FrameQuery[M]:
        kind: type[async_frame_query.FrameQuery[M]] = async_frame_query.FrameQuery
        return self._as(kind)
