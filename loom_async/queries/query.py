"""`Query`: the batch size of loads, and the methods that count, explain and write results."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Sequence
from typing import Any, TypeVar

from .._core.context import OperationContext, current_context
from .._core.model.hydration import collector_paused, decode_raw_batch
from .._core.query.fields import Field
from .._core.query.output_collections import check_target, tagging_stages
from .._core.query.query_builder import QueryBuilder
from .._core.query.stages import AggregationStages
from .._core.types.values import from_bson
from ..collections.find import namespace_of
from ..operations.command_cursor import CommandCursor
from ..operations.driver_cursor import DriverCursor
from ..operations.query_target import query_target
from ..operations.raw_cursors import raw_batches
from . import query_commands

M = TypeVar("M")
T = TypeVar("T")

# Documents per batch: few round trips, and decoding one blocks the event loop for 40 ms at most.
_BATCH_SIZE = 5_000


class Query(QueryBuilder[M]):
    """A query that can run: the base of `LoadDirective` and `Aggregation`."""

    __slots__ = ()

    async def load_docs(self) -> list[dict[str, Any]]:
        """Return all results as dicts, with stored names and values."""
        documents: list[dict[str, Any]] = []
        async with await self._batches() as batches:
            async for batch in batches:
                documents.extend(decode_batch(batch))
        return documents

    def load_aggregate(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the results one by one as dicts, with stored names and values."""
        return self._documents(current_context())

    async def _documents(self, context: OperationContext) -> AsyncGenerator[dict[str, Any], None]:
        async with await self._batches(context) as batches:
            async for batch in batches:
                for document in decode_batch(batch):
                    yield document

    async def count(self) -> int:
        """Return the number of results, after `skip` and `limit`."""
        return await query_commands.count(self._model, self._spec)

    async def exists(self) -> bool:
        """Return whether the query has any result."""
        return await query_commands.first(self._model, self._spec, {"_id": 1}) is not None

    async def distinct(self, field: str | Field) -> list[Any]:
        """Return the distinct values of a field in the results; of an array, those of its elements.

        Parameters:
            field: The field's name.

        Raises:
            UnknownFieldError: The model lacks the field.
        """
        path = self._stored_path(field.path if isinstance(field, Field) else field)
        values = await query_commands.distinct(self._model, self._spec, path)
        return [from_bson(value) for value in values]

    async def explain(self, verbosity: str = "queryPlanner") -> dict[str, Any]:
        """Return the server's query plan.

        Parameters:
            verbosity: `"queryPlanner"`, `"executionStats"` or `"allPlansExecution"`.
        """
        return await query_commands.explain(self._model, self._spec, verbosity)

    async def merge_into(
        self,
        target: str | type[Any],
        *,
        on: str | Sequence[str] | None = None,
        when_matched: str | AggregationStages = "merge",
        when_not_matched: str = "insert",
    ) -> None:
        """Merge the results into a collection of the same server.

        Parameters:
            target: A declared model, or the name of a collection of the same database.
            on: The fields that identify a document; by default `_id`.
            when_matched: `"replace"`, `"keepExisting"`, `"merge"`, `"fail"`, or stages that update
                the existing document.
            when_not_matched: `"insert"`, `"discard"` or `"fail"`.

        Raises:
            LedgerIsAppendOnly: The target is a ledger, and documents of it might be changed.
            QueryError: The target counts revisions, and documents of it might be changed.
        """
        check_target(target, "merge_into", replaces=when_matched not in ("keepExisting", "fail"))
        stages = tagging_stages(target).merge_into(
            namespace_of(target),
            on=on,
            when_matched=when_matched,
            when_not_matched=when_not_matched,
        )
        await self._run(stages)

    async def out(self, target: str | type[Any]) -> None:
        """Replace the contents of a collection with the results.

        Parameters:
            target: A declared model, or the name of a collection of the same database.

        Raises:
            LedgerIsAppendOnly: The target is a ledger.
            QueryError: The target counts revisions, or is a subclass that shares its collection.
        """
        check_target(target, "out", replaces=True)
        await self._run(tagging_stages(target).out(namespace_of(target)))

    async def _run(self, stages: AggregationStages) -> None:
        target = await query_target(self._model, self._spec.options)
        async with target.call(f"write the results of a query of {self._model.__name__}"):
            pipeline = [*self._spec.pipeline(), *stages.to_list()]
            cursor = await target.collection.aggregate(
                pipeline, session=target.session, **self._spec.options.command_fields()
            )
            await cursor.to_list()

    def _first(self) -> Awaitable[dict[str, Any] | None]:
        return query_commands.first(self._model, self._spec)

    async def _batches(
        self, context: OperationContext | None = None
    ) -> CommandCursor | DriverCursor:
        """Return an iterator over the results as raw batches.

        Parameters:
            context: The operation context in which the caller asked for an iterator, which may
                differ from that in which the iteration starts; None for the current context.
        """
        spec = self._spec
        target = await query_target(self._model, spec.options, context)
        size = spec.options.batch_size or _BATCH_SIZE
        return raw_batches(target, spec, size, f"load {self._model.__name__}")


def decode_batch(batch: bytes) -> list[dict[str, Any]]:
    """Return the documents of a raw batch."""
    with collector_paused():
        return decode_raw_batch(batch)
