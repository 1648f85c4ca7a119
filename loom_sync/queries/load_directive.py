# Generated from loom_async/queries/load_directive.py by `nox -s sync`: edit that file.
"""`LoadDirective`: queries whose results are objects of a model; `filter` returns one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from loom_async._core.clock import now
from loom_async._core.errors import QueryError
from loom_async._core.model.append_only import refuse_change
from loom_async._core.model.auto_fields import latest_order
from loom_async._core.model.blob import BlobDocument
from loom_async._core.model.document import DocumentModel
from loom_async._core.model.hydration import Hydrator, hydrator
from loom_async._core.model.polymorphism import scope_of
from loom_async._core.model.write_results import UpdateCount
from loom_async._core.query.family_scope import update_scope
from loom_async._core.query.model_resolver import model_resolver
from loom_async._core.query.query_spec import QuerySpec
from loom_async._core.query.query_update import UpdateArguments, compile_query_update
from loom_async._core.query.stages import AggregationStages
from loom_async._core.query.view import View
from loom_async.queries import change_stream as async_change_stream
from loom_async.queries import load_directive as async_load_directive

from ..blobs import versions as blob_versions
from ..documents import hooks
from ..frames.frame_query import FrameQuery
from ..operations.matching_writes import delete_matching
from ..operations.target import target_of
from . import write_commands
from .aggregation import ReshapableQuery
from .change_stream import Changes, watch
from .find_and_modify import FindAndModifyQuery
from .paged_query import PagedQuery
from .view_query import ViewQuery

if TYPE_CHECKING:
    from pyarrow import Schema

D = TypeVar("D", bound=DocumentModel)
T = TypeVar("T")

_ALL = QuerySpec()


class LoadDirective(FindAndModifyQuery[D], PagedQuery[D], ReshapableQuery[D], FrameQuery[D]):
    """An immutable query whose results are objects of a model.

    Methods such as `filter` and `sort` return a new query; the others run it. `filter`, `sort`,
    `skip` and `limit` are the clauses of one find, in any order. After `sample`, each works on the
    results of the call before it.

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

    def _read(self, batch: bytes) -> Sequence[D]:
        return self._hydrator.many(batch)

    def _read_one(self, document: dict[str, Any]) -> D:
        loaded: D = self._hydrator.one(document)
        return loaded

    def _loaded(self, objects: Sequence[D]) -> Sequence[D]:
        return hooks.loaded(objects)

    @overload
    def load_latest(self, count: None = None) -> D | None: ...

    @overload
    def load_latest(self, count: int) -> list[D]: ...

    def load_latest(self, count: int | None = None) -> D | list[D] | None:
        """Return the newest result or, with a count, the newest results, newest first.

        Of a sorted query, these are the first results in its order.

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
        limit = count if self._spec.limit is None else min(count, self._spec.limit)
        return newest_first.limit(limit).load_many()

    @overload
    async def load_latest_async(self, count: None = None) -> D | None: ...

    @overload
    async def load_latest_async(self, count: int) -> list[D]: ...

    async def load_latest_async(self, count: int | None = None) -> D | list[D] | None:
        """Do as `load_latest` does, without blocking the event loop."""
        return await self._async.load_latest(count)

    load_top = load_latest
    load_top_async = load_latest_async

    def into(self, view: type[T]) -> ViewQuery[T]:
        """Return this query with results that are objects of a class with some of the fields.

        Only these fields are loaded. A field of the class is found by its name, or else by its
        validation alias, which may be dotted: `"address.city"`. A nested model loads some fields of
        what is nested in this model.

        Parameters:
            view: A pydantic model, a dataclass or a `TypedDict`. Objects of a persistable model
                count as new, not as loaded.

        Raises:
            UnknownFieldError: The model lacks a field that the class has without a default.
            QueryError: `view` is another class.

        Example:
            >>> import loom_sync as lm
            >>> from pydantic import BaseModel
            >>> @lm.declare_persist_db("my_app", "users")
            ... class User(lm.Persistable):
            ...     name: str
            ...     age: int
            >>> class UserName(BaseModel):
            ...     name: str
            >>> def main() -> None:
            ...     names = User.filter(lm.fld["age"] > 25).into(UserName).load_many()
            ...     print([user.name for user in names])
        """
        resolver = model_resolver(self._model)
        compiled = View(view, resolver.codec, self._model.__name__, resolver.sparse)
        return ViewQuery[T](self._model, self._spec, self._resolver, compiled)

    def watch(self, *, resume_after: str | None = None) -> Changes[D]:
        """Return a change stream of the documents that match the query after the change.

        The event of a deletion has only the id of its document, so it matches only if all
        conditions are on the id.

        Parameters:
            resume_after: The token of the change to continue after; None begins with new changes.

        Raises:
            QueryError: The query sorts, skips, limits or samples, or has a condition or an option
                that change streams do not support, such as `near`, `text` or `hint`; or
                `resume_after` is not a token.
            TransactionError: A transaction is in force.

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

    def update(
        self,
        values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | AggregationStages | None = None,
        *,
        upsert: bool = False,
        array_filters: Sequence[Mapping[str, Any]] = (),
        validate: bool = True,
        **fields: Any,
    ) -> UpdateCount:
        """Update every document that matches, in one command.

        Parameters:
            values: Fields to set by dotted path, update operators (`{"$inc": {"age": 1}}`), or
                stages that set and unset fields, whose expressions are MongoDB's:
                `[{"$set": {"total": {"$add": ["$price", "$tax"]}}}]`.
                `items.$`, `items.$[]` and `items.$[x]` name elements of an array.
            upsert: Whether to insert a document if none matches. It gets the values that the filter
                compares by `==`, those of the update, and defaults and times for all other fields.
            array_filters: A MongoDB filter for each `$[x]`: `{"x.count": {"$gte": 5}}`.
            validate: Whether the values of `$set` and `$setOnInsert` are validated as those of an
                assignment; False stores them as they are.
            **fields: Fields to set by name.

        Returns:
            The number of documents modified; its `matched` is the number that matched, and its
            `inserted` the number that an upsert inserted.

        Raises:
            UnknownFieldError: The model lacks a field.
            QueryError: There is nothing to update, a field does not accept its value, the query
                sorts, skips, limits or samples, or an upsert would insert a document without a
                required field.
            LedgerIsAppendOnly: The model is a ledger or a time series.
            DuplicateKey: A document would have the same value as another in a unique index.
        """
        refuse_change(self._model, "update")
        self._require_filter_only("update")
        arguments = UpdateArguments(values, fields, upsert, array_filters, validate)
        change = compile_query_update(self._model, self._spec.filter, arguments, now())
        spec = self._spec.with_filter(update_scope(self._model, change.update))
        return write_commands.update_many(self._model, spec, change)

    async def update_async(
        self,
        values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | AggregationStages | None = None,
        *,
        upsert: bool = False,
        array_filters: Sequence[Mapping[str, Any]] = (),
        validate: bool = True,
        **fields: Any,
    ) -> UpdateCount:
        """Do as `update` does, without blocking the event loop."""
        return await self._async.update(
            values, upsert=upsert, array_filters=array_filters, validate=validate, **fields
        )

    def delete(self) -> int:
        """Delete every document that matches; without a filter, all documents.

        The documents of a `BlobModel` are deleted with their bytes, 1,000 documents at a time.

        Returns:
            The number of documents deleted.

        Raises:
            QueryError: The query sorts, skips, limits or samples.
            LedgerIsAppendOnly: The model is a ledger or a time series.
            TransactionError: The model is a `BlobModel` and a transaction is in force; nothing was
                sent.
        """
        refuse_change(self._model, "delete")
        self._require_filter_only("delete")
        if issubclass(self._model, BlobDocument):
            return blob_versions.delete_matching(self._model, self._spec.filter, self._spec.options)
        target = target_of(self._model)
        action = f"delete {self._model.__name__}"
        with target.call(action):
            return delete_matching(target, self._spec.filter, self._spec.options, action)

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
    spec = QuerySpec(filters=(scope,)) if scope else _ALL
    # Without the type argument, which takes longer than the rest.
    query: LoadDirective[D] = LoadDirective(model, spec, model_resolver(model))
    return query
