"""What every query can do, and those whose rows are dicts."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from . import reads
from ._core.context import Place, here
from ._core.model.hydration import Validator, collector_paused, decode_stream
from ._core.model.values import from_bson
from ._core.query.destinations import check_target, tagging
from ._core.query.fields import Field
from ._core.query.grouping import Accumulators
from ._core.query.spec import QuerySpec
from ._core.query.stages import AggregationStages
from .cursors import batches
from .database import namespace_of
from .frames.framed import Framed
from .targets import target_of

M = TypeVar("M")
T = TypeVar("T")

# Documents in one batch: few round trips, and decoding holds the event loop for some 40 ms at most.
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
            >>> import loom_async as lm
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

    async def load_docs(self) -> list[dict[str, Any]]:
        """Return all results as the documents that MongoDB holds."""
        documents: list[dict[str, Any]] = []
        async with aclosing(self._streams()) as streams:
            async for stream in streams:
                documents.extend(_decoded(stream))
        return documents

    def load_aggregate(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the results one after another as the documents that MongoDB holds."""
        return self._documents(here())

    async def _documents(self, place: Place) -> AsyncGenerator[dict[str, Any], None]:
        async with aclosing(self._streams(place)) as streams:
            async for stream in streams:
                for document in _decoded(stream):
                    yield document

    async def count(self) -> int:
        """Return the number of results, `skip` and `limit` respected."""
        return await reads.count(self._model, self._spec)

    async def exists(self) -> bool:
        """Say whether there is any result."""
        return await reads.first(self._model, self._spec, {"_id": 1}) is not None

    async def distinct(self, field: str | Field) -> list[Any]:
        """Return the distinct values of a field among the results; arrays give their elements.

        Parameters:
            field: The field's name.

        Raises:
            UnknownFieldError: The model lacks the field.
        """
        path = self._stored(field.path if isinstance(field, Field) else field)
        values = await reads.distinct(self._model, self._spec, path)
        return [from_bson(value) for value in values]

    async def explain(self, verbosity: str = "queryPlanner") -> dict[str, Any]:
        """Return the server's plan for this query.

        Parameters:
            verbosity: `"queryPlanner"`, `"executionStats"` or `"allPlansExecution"`.
        """
        return await reads.explain(self._model, self._spec, verbosity)

    async def merge_into(
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
        await self._run(stages)

    async def out(self, target: str | type[Any]) -> None:
        """Write the results into a collection in place of what it holds.

        Parameters:
            target: A declared model, or a collection's name.
        """
        check_target(target, "out", replaces=True)
        await self._run(tagging(target).out(namespace_of(target)))

    async def _run(self, stages: AggregationStages) -> None:
        target = await target_of(self._model)
        async with target.turn(f"write the results of a query of {self._model.__name__}"):
            pipeline = [*self._spec.pipeline(), *stages.to_list()]
            cursor = await target.collection.aggregate(pipeline, session=target.session)
            await cursor.to_list()

    async def _first(self) -> dict[str, Any] | None:
        return await reads.first(self._model, self._spec)

    async def _streams(self, place: Place | None = None) -> AsyncGenerator[bytes, None]:
        """Yield the results batch by batch, as BSON documents that follow one another.

        An iterator is perhaps begun elsewhere than it was asked for: `place` remembers where.
        """
        target, spec = await target_of(self._model, place), self._spec
        if spec.limit == 0:
            return
        action = f"load {self._model.__name__}"
        async with aclosing(batches(target, spec, _BATCH, action)) as streams:
            async for stream in streams:
                yield stream


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

    async def load_many(self) -> list[M]:
        """Return all rows.

        Raises:
            InvalidDocument: A row does not fit the class given to `into`.
        """
        rows: list[M] = []
        async with aclosing(self._streams()) as streams:
            async for stream in streams:
                rows.extend(self._rows(_decoded(stream)))
        return rows

    async def load_one(self) -> M | None:
        """Return the first row, or None.

        Raises:
            InvalidDocument: The row does not fit the class given to `into`.
        """
        found = await self._first()
        return None if found is None else self._rows([found])[0]

    def stream(self) -> AsyncIterator[M]:
        """Yield the rows, holding one batch in memory at a time.

        Raises:
            InvalidDocument: A row does not fit the class given to `into`.
        """
        return self._validated(here())

    async def _validated(self, place: Place) -> AsyncGenerator[M, None]:
        async with aclosing(self._streams(place)) as streams:
            async for stream in streams:
                for row in self._rows(_decoded(stream)):
                    yield row

    def _rows(self, documents: list[Any]) -> list[M]:
        return documents if self._validator is None else self._validator.validated(documents)


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
