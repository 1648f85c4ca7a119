# Generated from loom_async/aggregation.py by `nox -s sync`: edit that file, not this one.
"""What every query can do, and those whose rows are dicts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from contextlib import closing
from typing import Any, TypeVar

from loom_async import aggregation as async_aggregation
from loom_async import reads as async_reads
from loom_async._core.context import Place, here
from loom_async._core.model.hydration import Validator, collector_paused, decode_stream
from loom_async._core.model.values import from_bson
from loom_async._core.query.destinations import check_target, tagging
from loom_async._core.query.fields import Field
from loom_async._core.query.grouping import Accumulators
from loom_async._core.query.spec import QuerySpec
from loom_async._core.query.stages import AggregationStages

from . import reads
from .cursors import batches
from .database import namespace_of
from .frames.framed import Framed
from .targets import target_of

M = TypeVar("M")
T = TypeVar("T")

# Documents in one batch: few round trips, and decoding holds the process for some 40 ms at most.
_BATCH = 5_000


class Query(Framed[M]):
    """What every query can do, whatever its rows are."""

    __slots__ = ()

    def project(self, *names: str | Field, **fields: Any) -> Aggregation[dict[str, Any]]:
        """Return a query whose rows are dicts of some fields.

        Parameters:
            *names: Fields to keep; `"-name"` leaves one out.
            **fields: Fields to compute by a MongoDB expression.

        Raises:
            UnknownFieldError: The model lacks a field.
        """
        return self._aggregation(self._projected(names, fields))

    def add_fields(self, **fields: Any) -> Aggregation[dict[str, Any]]:
        """Return a query whose rows are dicts with further, computed fields.

        Parameters:
            **fields: MongoDB expressions by name.
        """
        return self._aggregation(self._extended(fields))

    def lookup(
        self,
        source: str | type[Any],
        *,
        local_field: str | Field = "_id",
        foreign_field: str | Field = "_id",
        as_: str | None = None,
        pipeline: AggregationStages | None = None,
    ) -> Aggregation[dict[str, Any]]:
        """Return a query whose rows are dicts with the matching documents of another collection.

        Parameters:
            source: A declared model of the same database, or a collection's name.
            local_field: The field of this query's rows.
            foreign_field: The field of the other documents that equals it.
            as_: The field that receives the list; by default the other collection's name.
            pipeline: Stages that the other documents go through.

        Raises:
            UnknownFieldError: One of the models lacks a field.
        """
        return self._aggregation(self._joined(source, local_field, foreign_field, as_, pipeline))

    def group_by(self, *keys: str | Field) -> Grouping:
        """Return a grouping of the rows by fields; none gathers all rows into one.

        Parameters:
            *keys: The fields; their value is the `_id` of each group.

        Example:
            >>> import loom_sync as lm
            >>> class User(lm.Persistable):
            ...     city: str
            ...     age: int
            >>> rows = User.filter().group_by("city").acc(average=lm.fld["age"].avg())
        """
        return Grouping(lambda accumulators: self._aggregation(self._grouped(keys, accumulators)))

    def agg(self, stages: AggregationStages) -> Aggregation[dict[str, Any]]:
        """Return a query that goes on with the stages of a pipeline; its rows are dicts.

        Parameters:
            stages: The further stages.
        """
        return self._aggregation(self._followed_by(stages))

    def _aggregation(self, spec: QuerySpec) -> Aggregation[dict[str, Any]]:
        return Aggregation(self._model, spec, None)

    def load_docs(self) -> list[dict[str, Any]]:
        """Return all results as the documents that MongoDB holds."""
        documents: list[dict[str, Any]] = []
        with closing(self._streams()) as streams:
            for stream in streams:
                documents.extend(_decoded(stream))
        return documents

    async def load_docs_async(self) -> list[dict[str, Any]]:
        """Do as `load_docs` does, without blocking the event loop."""
        return await self._async.load_docs()

    def load_aggregate(self) -> Iterator[dict[str, Any]]:
        """Yield the results one after another as the documents that MongoDB holds."""
        return self._documents(here())

    def load_aggregate_async(self) -> AsyncIterator[dict[str, Any]]:
        """Yield as `load_aggregate` does, without blocking the event loop."""
        return self._async.load_aggregate()

    def _documents(self, place: Place) -> Generator[dict[str, Any], None, None]:
        with closing(self._streams(place)) as streams:
            for stream in streams:
                yield from _decoded(stream)

    def count(self) -> int:
        """Return the number of results, `skip` and `limit` respected."""
        return reads.count(self._model, self._spec)

    async def count_async(self) -> int:
        """Do as `count` does, without blocking the event loop."""
        return await async_reads.count(self._model, self._spec)

    def exists(self) -> bool:
        """Say whether there is any result."""
        return reads.first(self._model, self._spec, {"_id": 1}) is not None

    async def exists_async(self) -> bool:
        """Do as `exists` does, without blocking the event loop."""
        return await self._async.exists()

    def distinct(self, field: str | Field) -> list[Any]:
        """Return the distinct values of a field among the results; arrays give their elements.

        Parameters:
            field: The field's name.

        Raises:
            UnknownFieldError: The model lacks the field.
        """
        path = self._stored(field.path if isinstance(field, Field) else field)
        values = reads.distinct(self._model, self._spec, path)
        return [from_bson(value) for value in values]

    async def distinct_async(self, field: str | Field) -> list[Any]:
        """Do as `distinct` does, without blocking the event loop."""
        return await self._async.distinct(field)

    def explain(self, verbosity: str = "queryPlanner") -> dict[str, Any]:
        """Return the server's plan for this query.

        Parameters:
            verbosity: `"queryPlanner"`, `"executionStats"` or `"allPlansExecution"`.
        """
        return reads.explain(self._model, self._spec, verbosity)

    async def explain_async(self, verbosity: str = "queryPlanner") -> dict[str, Any]:
        """Do as `explain` does, without blocking the event loop."""
        return await async_reads.explain(self._model, self._spec, verbosity)

    def merge_into(
        self,
        target: str | type[Any],
        *,
        on: str | Sequence[str] | None = None,
        when_matched: str | AggregationStages = "merge",
        when_not_matched: str = "insert",
    ) -> None:
        """Write the results into a collection of the same server, merging with what is there.

        Parameters:
            target: A declared model, or a collection's name.
            on: The fields that identify a document; by default `_id`.
            when_matched: `"replace"`, `"keepExisting"`, `"merge"`, `"fail"`, or stages.
            when_not_matched: `"insert"`, `"discard"` or `"fail"`.
        """
        check_target(target, "merge_into", replaces=when_matched not in ("keepExisting", "fail"))
        stages = tagging(target).merge_into(
            namespace_of(target),
            on=on,
            when_matched=when_matched,
            when_not_matched=when_not_matched,
        )
        self._run(stages)

    async def merge_into_async(
        self,
        target: str | type[Any],
        *,
        on: str | Sequence[str] | None = None,
        when_matched: str | AggregationStages = "merge",
        when_not_matched: str = "insert",
    ) -> None:
        """Do as `merge_into` does, without blocking the event loop."""
        return await self._async.merge_into(
            target, on=on, when_matched=when_matched, when_not_matched=when_not_matched
        )

    def out(self, target: str | type[Any]) -> None:
        """Write the results into a collection in place of what it holds.

        Parameters:
            target: A declared model, or a collection's name.
        """
        check_target(target, "out", replaces=True)
        self._run(tagging(target).out(namespace_of(target)))

    async def out_async(self, target: str | type[Any]) -> None:
        """Do as `out` does, without blocking the event loop."""
        return await self._async.out(target)

    def _run(self, stages: AggregationStages) -> None:
        target = target_of(self._model)
        with target.turn(f"write the results of a query of {self._model.__name__}"):
            pipeline = [*self._spec.pipeline(), *stages.to_list()]
            cursor = target.collection.aggregate(pipeline, session=target.session)
            cursor.to_list()

    def _first(self) -> dict[str, Any] | None:
        return reads.first(self._model, self._spec)

    def _streams(self, place: Place | None = None) -> Generator[bytes, None, None]:
        """Yield the results batch by batch, as BSON documents that follow one another.

        An iterator is perhaps begun elsewhere than it was asked for: `place` remembers where.
        """
        target, spec = target_of(self._model, place), self._spec
        if spec.limit == 0:
            return
        action = f"load {self._model.__name__}"
        with closing(batches(target, spec, _BATCH, action)) as streams:
            yield from streams

    @property
    def _async(self) -> async_aggregation.Query[M]:
        kind: type[async_aggregation.Query[M]] = async_aggregation.Query
        return self._as(kind)


def _decoded(stream: bytes) -> list[dict[str, Any]]:
    with collector_paused():
        return decode_stream(stream)


class Aggregation(Query[M]):
    """An immutable query whose rows are dicts or, after `into`, validated objects."""

    __slots__ = ("_validator",)

    _validator: Validator | None

    def __init__(
        self,
        model: type[Any],
        spec: QuerySpec,
        resolver: Any = None,
        validator: Validator | None = None,
    ) -> None:
        super().__init__(model, spec, resolver)
        self._validator = validator

    def into(self, model: type[T]) -> Aggregation[T]:
        """Return this query with its rows validated as objects of a class.

        Parameters:
            model: A pydantic model, dataclass or TypedDict; objects of a persistable model are
                new ones.
        """
        return Aggregation[T](self._model, self._spec, None, Validator(model))

    def load_many(self) -> list[M]:
        """Return all rows.

        Raises:
            InvalidDocument: A row does not fit the class given to `into`.
        """
        rows: list[M] = []
        with closing(self._streams()) as streams:
            for stream in streams:
                rows.extend(self._rows(_decoded(stream)))
        return rows

    async def load_many_async(self) -> list[M]:
        """Do as `load_many` does, without blocking the event loop."""
        return await self._async.load_many()

    def load_one(self) -> M | None:
        """Return the first row, or None.

        Raises:
            InvalidDocument: The row does not fit the class given to `into`.
        """
        found = self._first()
        return None if found is None else self._rows([found])[0]

    async def load_one_async(self) -> M | None:
        """Do as `load_one` does, without blocking the event loop."""
        return await self._async.load_one()

    def stream(self) -> Iterator[M]:
        """Yield the rows, holding one batch in memory at a time.

        Raises:
            InvalidDocument: A row does not fit the class given to `into`.
        """
        return self._validated(here())

    def stream_async(self) -> AsyncIterator[M]:
        """Yield as `stream` does, without blocking the event loop."""
        return self._async.stream()

    def _validated(self, place: Place) -> Generator[M, None, None]:
        with closing(self._streams(place)) as streams:
            for stream in streams:
                yield from self._rows(_decoded(stream))

    def _rows(self, documents: list[Any]) -> list[M]:
        return documents if self._validator is None else self._validator.validated(documents)

    @property
    def _async(self) -> async_aggregation.Aggregation[M]:
        kind: type[async_aggregation.Aggregation[M]] = async_aggregation.Aggregation
        return self._as(kind)


class Grouping:
    """A `group_by` that waits for its accumulators."""

    __slots__ = ("_gather",)

    def __init__(self, gather: Callable[[Accumulators], Aggregation[dict[str, Any]]]) -> None:
        self._gather = gather

    def acc(self, **accumulators: Any) -> Aggregation[dict[str, Any]]:
        """Return the groups with what is accumulated over each.

        Parameters:
            **accumulators: By name: `fld["age"].avg()`, `count()` or a MongoDB accumulator.

        Raises:
            UnknownFieldError: The model lacks a field.
            QueryError: Something is no accumulator.
        """
        return self._gather(accumulators)
