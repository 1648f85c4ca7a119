# Generated from loom_async/queries/view_query.py by `nox -s sync`: edit that file.
"""`ViewQuery`: queries that load some fields of a model; `LoadDirective.into` returns one."""

from __future__ import annotations

from typing import Any, TypeVar

from loom_async._core.query.paths import FieldResolver
from loom_async._core.query.query_spec import QuerySpec
from loom_async._core.query.view import View, projection_of
from loom_async.queries import view_query as async_view_query

from .paged_query import PagedQuery
from .query import decode_batch

T = TypeVar("T")


class ViewQuery(PagedQuery[T]):
    """An immutable query that loads some fields of a model's documents as objects of a class.

    Its clauses name the fields of the model, also those that the class lacks.
    """

    __slots__ = ("_view",)

    _view: View[T]

    def __init__(
        self, model: type[Any], spec: QuerySpec, resolver: FieldResolver | None, view: View[T]
    ) -> None:
        super().__init__(model, spec._replace(projection=projection_of(view.paths)), resolver)
        self._view = view

    def load_many(self) -> list[T]:
        """Return all results.

        Raises:
            InvalidDocument: A document does not fit the class given to `into`.
        """
        return super().load_many()

    async def load_many_async(self) -> list[T]:
        """Do as `load_many` does, without blocking the event loop."""
        return await self._async.load_many()

    @property
    def _result_type(self) -> type[Any]:
        return self._view.kind

    def _read(self, batch: bytes) -> list[T]:
        return self._view.objects(decode_batch(batch))

    def _read_one(self, document: dict[str, Any]) -> T:
        return self._view.objects([document])[0]

    @property
    def _async(self) -> async_view_query.ViewQuery[T]:
        kind: type[async_view_query.ViewQuery[T]] = async_view_query.ViewQuery
        return self._as(kind)
