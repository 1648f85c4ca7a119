# Generated from loom_async/queries/load_directive.py by `nox -s sync`: edit that file.
"""Queries for objects of a model: built by chaining, run by one of their last words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeVar, overload

from loom_async._core.argument_checks import check_count
from loom_async._core.clock import now
from loom_async._core.context import OperationContext, current_context
from loom_async._core.errors import QueryError
from loom_async._core.model.append_only import refuse_change
from loom_async._core.model.auto_fields import latest_order, write_auto_values
from loom_async._core.model.blob import BlobDocument
from loom_async._core.model.declaration import declaration_of
from loom_async._core.model.document import DocumentModel
from loom_async._core.model.hydration import Hydrator, decode_stream, encode, hydrator
from loom_async._core.model.polymorphism import scope_of
from loom_async._core.model.revisions import revision_to_count
from loom_async._core.model.write_results import UpdateCount
from loom_async._core.query.model_resolver import ModelResolver
from loom_async._core.query.paging import Page, paged, sort_values, token_of
from loom_async._core.query.query_spec import QuerySpec
from loom_async._core.query.update_operators import compile_update
from loom_async.queries import change_stream as async_change_stream
from loom_async.queries import load_directive as async_load_directive

from ..blobs import versions as blob_versions
from ..documents import hooks
from ..frames.frame_query import FrameQuery
from ..operations.target import target_of
from .aggregation import Reshaping
from .change_stream import Changes, watch

if TYPE_CHECKING:
    from pyarrow import Schema

D = TypeVar("D", bound=DocumentModel)


class LoadDirective(Reshaping[D], FrameQuery[D]):
    """An immutable query whose results are objects of a model.

    `filter`, `sort`, `skip` and `limit` are clauses, as in a find: they may come in any order.
    After the first stage (`sample`) each call takes what the one before it gives.

    Example:
        >>> import loom_sync as lm
        >>> @lm.declare_persist_db("my_app", "users")
        ... class User(lm.Persistable):
        ...     age: int
        >>> oldest = User.filter(lm.fld["age"] > 25).sort("age", descending=True).limit(10)
        >>> def main() -> None:
        ...     print(oldest.load_many())
    """

    __slots__ = ()

    @property
    def _hydrator(self) -> Hydrator:
        model: type[DocumentModel] = self._model
        return hydrator(model)

    def load_many(self) -> list[D]:
        """Return all results as objects.

        Raises:
            InvalidDocument: A document does not fit the model.
        """
        objects: list[D] = []
        hydrate = self._hydrator
        with closing(self._streams()) as streams:
            for stream in streams:
                objects.extend(hooks.loaded(hydrate.many(stream)))
        return objects

    async def load_many_async(self) -> list[D]:
        """Do as `load_many` does, without blocking the event loop."""
        return await self._async.load_many()

    def load_one(self) -> D | None:
        """Return the first result as an object, or None.

        Raises:
            InvalidDocument: The document does not fit the model.
        """
        found = self._first()
        if found is None:
            return None
        document: D = self._hydrator.one(found)
        hooks.loaded((document,))
        return document

    async def load_one_async(self) -> D | None:
        """Do as `load_one` does, without blocking the event loop."""
        return await self._async.load_one()

    @overload
    def load_latest(self, count: None = None) -> D | None: ...

    @overload
    def load_latest(self, count: int) -> list[D]: ...

    def load_latest(self, count: int | None = None) -> D | list[D] | None:
        """Return the newest result or, with a count, the newest results, newest first.

        A query that is sorted keeps its order: its first results are its latest.

        Parameters:
            count: How many objects to return as a list; None returns one object or None.

        Raises:
            InvalidDocument: A document does not fit the model.
        """
        newest_first = self
        if not self._spec.sort:
            newest_first = self._with_spec(self._spec.with_sort(latest_order(self._model)))
        if count is None:
            return newest_first.load_one()
        wanted = count if self._spec.limit is None else min(count, self._spec.limit)
        return newest_first.limit(wanted).load_many()

    @overload
    async def load_latest_async(self, count: None = None) -> D | None: ...

    @overload
    async def load_latest_async(self, count: int) -> list[D]: ...

    async def load_latest_async(self, count: int | None = None) -> D | list[D] | None:
        """Do as `load_latest` does, without blocking the event loop."""
        return await self._async.load_latest(count)

    load_top = load_latest
    load_top_async = load_latest_async

    def page(self, size: int, after: str | None = None) -> Page[D]:
        """Return some results, and a token that the next ones are asked for with.

        Pages go by the values of the sort keys, and by `_id` where those are equal: a document that
        is inserted or deleted meanwhile moves no other to another page.

        Parameters:
            size: How many objects a page has at most.
            after: `next` of the page before; None for the first page.

        Raises:
            QueryError: The token is of another query, or the query skips, limits, samples or sorts
                by an array.
            InvalidDocument: A document does not fit the model.

        Example:
            >>> import loom_sync as lm
            >>> def walk(model: type[lm.Persistable]) -> None:
            ...     page = model.filter().sort("created_at").page(20)
            ...     while page.next is not None:
            ...         page = model.filter().sort("created_at").page(20, page.next)
        """
        check_count("page", size, 1)
        place = declaration_of(self._model).collection_name
        first = paged(self._spec, None, place)
        spec = paged(self._spec, after, place).with_limit(size + 1)
        stored: list[dict[str, Any]] = []
        with closing(self._with_spec(spec)._streams()) as streams:
            for stream in streams:
                stored += decode_stream(stream)
        for document in stored:
            sort_values(first, document)
        token = token_of(first, stored[size - 1], place) if len(stored) > size else None
        raws = [encode(document) for document in stored[:size]]
        return Page(list(hooks.loaded(self._hydrator.many(b"".join(raws)))), token)

    async def page_async(self, size: int, after: str | None = None) -> Page[D]:
        """Do as `page` does, without blocking the event loop."""
        return await self._async.page(size, after)

    def stream(self) -> Iterator[D]:
        """Yield the results as objects, holding one batch in memory at a time.

        Raises:
            InvalidDocument: A document does not fit the model.
        """
        return self._objects(current_context())

    def stream_async(self) -> AsyncIterator[D]:
        """Yield as `stream` does, without blocking the event loop."""
        return self._async.stream()

    def _objects(self, place: OperationContext) -> Generator[D, None, None]:
        hydrate = self._hydrator
        with closing(self._streams(place)) as streams:
            for stream in streams:
                yield from hooks.loaded(hydrate.many(stream))

    def watch(self, *, resume_after: str | None = None) -> Changes[D]:
        """Return the changes of the documents that match when the change is told.

        A deletion leaves no document that could match: it is told of if the query names ids alone.

        Parameters:
            resume_after: The token of the change to go on after; None begins with what comes.

        Raises:
            QueryError: The query sorts, skips, limits or samples, or has a condition that change
                streams do not take, such as `near` or `text`; or `resume_after` is no token.
            TransactionError: This is inside a transaction.

        Example:
            >>> import loom_sync as lm
            >>> @lm.declare_persist_db("my_app", "users")
            ... class User(lm.Persistable):
            ...     age: int
            >>> def main() -> None:
            ...     with User.filter(lm.fld["age"] >= 18).watch() as changes:
            ...         for change in changes:
            ...             print(change.operation, change.document)
        """
        return watch(self._model, self._spec, resume_after=resume_after)

    def watch_async(self, *, resume_after: str | None = None) -> async_change_stream.Changes[D]:
        """Yield as `watch` does, without blocking the event loop."""
        return self._async.watch(resume_after=resume_after)

    def update(self, values: Mapping[str, Any] | None = None, **fields: Any) -> UpdateCount:
        """Update every document that matches, in one command.

        Parameters:
            values: Fields to set by dotted path, or update operators: `{"$inc": {"age": 1}}`.
            **fields: Fields to set by name.

        Returns:
            The number of documents modified; its `matched` is the number that matched.

        Raises:
            UnknownFieldError: The model lacks a field.
            QueryError: There is nothing to update, or the query sorts, skips, limits or samples.
        """
        refuse_change(self._model, "update")
        self._require_filter_only("update")
        resolver = ModelResolver(self._model)
        auto_values = write_auto_values(self._model, now())
        compiled = compile_update(
            resolver,
            values,
            fields,
            auto_values=auto_values,
            revision=revision_to_count(self._model),
        )
        target = target_of(self._model)
        with target.call(f"update {self._model.__name__}"):
            result = target.collection.update_many(
                self._spec.filter, compiled, session=target.session
            )
        return UpdateCount(result.modified_count, result.matched_count)

    async def update_async(
        self, values: Mapping[str, Any] | None = None, **fields: Any
    ) -> UpdateCount:
        """Do as `update` does, without blocking the event loop."""
        return await self._async.update(values, **fields)

    def delete(self) -> int:
        """Delete every document that matches; without a filter, all of them.

        Blobs go with all their bytes, a thousand at a time.

        Returns:
            The number of documents deleted.

        Raises:
            QueryError: The query sorts, skips, limits or samples.
            TransactionError: It would delete blobs inside a transaction; nothing was sent.
        """
        refuse_change(self._model, "delete")
        self._require_filter_only("delete")
        if issubclass(self._model, BlobDocument):
            return blob_versions.delete_matching(self._model, self._spec.filter)
        target = target_of(self._model)
        with target.call(f"delete {self._model.__name__}"):
            result = target.collection.delete_many(self._spec.filter, session=target.session)
        return result.deleted_count

    async def delete_async(self) -> int:
        """Do as `delete` does, without blocking the event loop."""
        return await self._async.delete()

    def _arrow_schema(self) -> Schema | None:
        model: Any = self._model
        schema: Schema | None = model.get_arrow_schema()
        return schema

    def _require_filter_only(self, action: str) -> None:
        spec = self._spec
        if spec.stages or spec.sort or spec.skip or spec.limit is not None:
            raise QueryError(
                f"{action}() takes a query of filters alone: MongoDB cannot sort, skip, limit or "
                f"sample the documents of a bulk {action}",
                hint='load the ids first, then filter(fld["id"].is_in(ids))',
            )

    @property
    def _async(self) -> async_load_directive.LoadDirective[D]:
        kind: type[async_load_directive.LoadDirective[D]] = async_load_directive.LoadDirective
        return self._as(kind)


def query_of(model: type[D]) -> LoadDirective[D]:
    """Return the query for all documents of a model."""
    scope = scope_of(model)
    spec = QuerySpec(filters=(scope,) if scope else ())
    return LoadDirective[D](model, spec, ModelResolver(model))
