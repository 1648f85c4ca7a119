# Generated from loom_async/queries/aggregation.py by `nox -s sync`: edit that file.
"""Queries whose rows are dicts, and the verbs that make them of other queries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import closing
from typing import Any, TypeVar

from loom_async._core.context import OperationContext, current_context
from loom_async._core.model.hydration import Validator
from loom_async._core.query.fields import Field
from loom_async._core.query.grouping import Accumulators
from loom_async._core.query.query_spec import QuerySpec
from loom_async._core.query.stages import AggregationStages
from loom_async.queries import aggregation as async_aggregation

from ..frames.frame_query import FrameQuery
from .query import Query, decoded

M = TypeVar("M")
T = TypeVar("T")


class Reshaping(Query[M]):
    """A query whose rows can be reshaped into dicts."""

    __slots__ = ()

    def project(self, *names: str | Field, **fields: Any) -> Aggregation[dict[str, Any]]:
        """Return a query whose rows are dicts of some fields.

        Parameters:
            *names: Fields to keep; `"-name"` leaves one out.
            **fields: Fields to compute by a MongoDB expression.

        Raises:
            UnknownFieldError: The model lacks a field.
        """
        return self._aggregation(self._with_projection(names, fields))

    def add_fields(self, **fields: Any) -> Aggregation[dict[str, Any]]:
        """Return a query whose rows are dicts with further, computed fields.

        Parameters:
            **fields: MongoDB expressions by name.
        """
        return self._aggregation(self._with_added_fields(fields))

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
        return self._aggregation(
            self._with_lookup(source, local_field, foreign_field, as_, pipeline)
        )

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
        return Grouping(
            lambda accumulators: self._aggregation(self._with_group(keys, accumulators))
        )

    def agg(self, stages: AggregationStages) -> Aggregation[dict[str, Any]]:
        """Return a query that goes on with the stages of a pipeline; its rows are dicts.

        Parameters:
            stages: The further stages.
        """
        return self._aggregation(self._with_stages(stages))

    def _aggregation(self, spec: QuerySpec) -> Aggregation[dict[str, Any]]:
        return Aggregation(self._model, spec, None)


class Aggregation(Reshaping[M], FrameQuery[M]):
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
                rows.extend(self._rows(decoded(stream)))
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
        return self._validated(current_context())

    def stream_async(self) -> AsyncIterator[M]:
        """Yield as `stream` does, without blocking the event loop."""
        return self._async.stream()

    def _validated(self, place: OperationContext) -> Generator[M, None, None]:
        with closing(self._streams(place)) as streams:
            for stream in streams:
                yield from self._rows(decoded(stream))

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
