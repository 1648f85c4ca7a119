"""`ViewQuery`: queries that load some fields of a model; `LoadDirective.into` returns one."""

from __future__ import annotations

from typing import Any, TypeVar

from .._core.query.paths import FieldResolver
from .._core.query.query_spec import QuerySpec
from .._core.query.view import View, projection_of
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

    async def load_many(self) -> list[T]:
        """Return all results.

        Raises:
            InvalidDocument: A document does not fit the class given to `into`.
        """
        return await super().load_many()

    @property
    def _result_type(self) -> type[Any]:
        return self._view.kind

    def _read(self, batch: bytes) -> list[T]:
        return self._view.objects(decode_batch(batch))

    def _read_one(self, document: dict[str, Any]) -> T:
        return self._view.objects([document])[0]
