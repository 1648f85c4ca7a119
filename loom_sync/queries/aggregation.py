# Generated from loom_async/queries/aggregation.py by `nox -s sync`: edit that file.
"""`Aggregation`: queries whose rows are dicts, and the methods that reshape a query into one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from loom_async._core.model.hydration import Validator
from loom_async._core.query.fields import Field
from loom_async._core.query.grouping import Accumulators
from loom_async._core.query.model_resolver import model_resolver
from loom_async._core.query.query_spec import QuerySpec
from loom_async._core.query.row_validator import RowValidator
from loom_async._core.query.stages import AggregationStages
from loom_async.queries import aggregation as async_aggregation

from ..frames.frame_query import FrameQuery
from .object_query import ObjectQuery
from .query import Query, decode_batch

M = TypeVar("M")
T = TypeVar("T")


class ReshapableQuery(Query[M]):
    """A query with the methods that reshape its rows; these return an `Aggregation`."""

    __slots__ = ()

    def project(self, *names: str | Field, **fields: Any) -> Aggregation[dict[str, Any]]:
        """Return a query whose rows are dicts with the given fields.

        Parameters:
            *names: Fields to keep; `"-name"` leaves one out.
            **fields: Fields to compute, by name, as fields or MongoDB expressions.

        Raises:
            UnknownFieldError: The model lacks a field.
        """
        return self._aggregation(self._with_projection(names, fields))

    def add_fields(self, **fields: Any) -> Aggregation[dict[str, Any]]:
        """Return a query whose rows are dicts with additional, computed fields.

        Parameters:
            **fields: Fields or MongoDB expressions by name.
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
            foreign_field: The field of the other collection's documents that must equal it.
            as_: The field for the list of matches; by default the other collection's name.
            pipeline: Stages to apply to the matching documents.

        Raises:
            UnknownFieldError: A model lacks a field.
        """
        return self._aggregation(
            self._with_lookup(source, local_field, foreign_field, as_, pipeline)
        )

    def group_by(self, *keys: str | Field) -> Grouping:
        """Group the rows by fields; without fields, all rows form one group.

        Parameters:
            *keys: The fields; their values are the `_id` of each group.

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

    def agg(
        self, stages: AggregationStages | Sequence[Mapping[str, Any]]
    ) -> Aggregation[dict[str, Any]]:
        """Return this query followed by the stages of a pipeline; its rows are dicts.

        Parameters:
            stages: The stages to add; MongoDB's own as dicts, too.
        """
        return self._aggregation(self._with_stages(stages))

    def _aggregation(self, spec: QuerySpec) -> Aggregation[dict[str, Any]]:
        return Aggregation(self._model, spec, None)


class Aggregation(ObjectQuery[M], ReshapableQuery[M], FrameQuery[M]):
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
        """Return this query with rows that are objects of a class.

        Parameters:
            model: A pydantic model, dataclass or TypedDict. Objects of a persistable model count
                as new, not as loaded. A field that a row lacks under its own name is read by the
                stored name of the queried model's field of that name.
        """
        validator = RowValidator(model, model_resolver(self._model).codec)
        return Aggregation[T](self._model, self._spec, None, validator)

    def load_many(self) -> list[M]:
        """Return all rows.

        Raises:
            InvalidDocument: A row does not fit the class given to `into`.
        """
        return super().load_many()

    async def load_many_async(self) -> list[M]:
        """Do as `load_many` does, without blocking the event loop."""
        return await self._async.load_many()

    @property
    def _result_type(self) -> type[Any]:
        return self._model if self._validator is None else self._validator.model

    def _read(self, batch: bytes) -> list[M]:
        return self._validated(decode_batch(batch))

    def _read_one(self, document: dict[str, Any]) -> M:
        return self._validated([document])[0]

    def _validated(self, documents: list[Any]) -> list[M]:
        return documents if self._validator is None else self._validator.validated(documents)

    @property
    def _async(self) -> async_aggregation.Aggregation[M]:
        kind: type[async_aggregation.Aggregation[M]] = async_aggregation.Aggregation
        return self._as(kind)


class Grouping:
    """The result of `group_by`; its method `acc` returns the query."""

    __slots__ = ("_accumulate",)

    def __init__(self, accumulate: Callable[[Accumulators], Aggregation[dict[str, Any]]]) -> None:
        self._accumulate = accumulate

    def acc(self, **accumulators: Any) -> Aggregation[dict[str, Any]]:
        """Return a query with one row for each group, which has the accumulated values.

        Parameters:
            **accumulators: By name: `fld["age"].avg()`, `count()` or a MongoDB accumulator.

        Raises:
            UnknownFieldError: The model lacks a field.
            QueryError: An argument is not an accumulator.
        """
        return self._accumulate(accumulators)
