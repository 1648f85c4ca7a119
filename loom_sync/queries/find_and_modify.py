# Generated from loom_async/queries/find_and_modify.py by `nox -s sync`: edit that file.
"""The methods of queries that change one document and return it, by one command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from loom_async._core.clock import now
from loom_async._core.errors import QueryError
from loom_async._core.model.append_only import refuse_change
from loom_async._core.model.blob import BlobDocument
from loom_async._core.model.document import DocumentModel, set_baseline
from loom_async._core.model.hydration import hydrator
from loom_async._core.query.family_scope import update_scope
from loom_async._core.query.query_update import UpdateArguments, compile_query_update
from loom_async.queries import find_and_modify as async_find_and_modify

from ..blobs import versions as blob_versions
from ..documents import hooks
from . import write_commands
from .query import Query

D = TypeVar("D", bound=DocumentModel)


class FindAndModifyQuery(Query[D]):
    """A query of objects that can update or delete the first of them."""

    __slots__ = ()

    def find_one_and_update(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        upsert: bool = False,
        return_before: bool = False,
        array_filters: Sequence[Mapping[str, Any]] = (),
        validate: bool = True,
        **fields: Any,
    ) -> D | None:
        """Update the first document that matches, and return it as an object.

        Finding and updating are one step: no other writer comes between them. If the reply is lost,
        the command is sent again, and happens once.

        Parameters:
            values: Fields to set by dotted path, or update operators, as for `update`.
            upsert: Whether to insert a document if none matches, as for `update`.
            return_before: Return the document as it was before the update.
            array_filters: A MongoDB filter for each `$[x]`, as for `update`.
            validate: Whether the values that fields are set to are validated, as for `update`.
            **fields: Fields to set by name.

        Returns:
            The object; None if no document matched, or with `return_before` if one was inserted.

        Raises:
            UnknownFieldError: The model lacks a field.
            QueryError: There is nothing to update, a field does not accept its value, the query
                skips, limits or samples, or an upsert would insert a document without a required
                field.
            LedgerIsAppendOnly: The model is a ledger or a time series.
            DuplicateKey: The document would have the same value as another in a unique index.
            InvalidDocument: The updated document does not fit the model.

        Example:
            >>> import loom_sync as lm
            >>> @lm.declare_persist_db("my_app", "jobs")
            ... class Job(lm.Persistable):
            ...     state: str = "new"
            >>> def take() -> Job | None:
            ...     waiting = Job.filter(lm.fld["state"] == "new").sort("created_at")
            ...     return waiting.find_one_and_update({"state": "taken"})
        """
        refuse_change(self._model, "find_one_and_update")
        self._require_one("find_one_and_update")
        arguments = UpdateArguments(values, fields, upsert, array_filters, validate)
        change = compile_query_update(self._model, self._spec.filter, arguments, now())
        spec = self._spec.with_filter(update_scope(self._model, change.update))
        found = write_commands.update_first(self._model, spec, change, returns_before=return_before)
        return None if found is None else self._modified(found)

    async def find_one_and_update_async(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        upsert: bool = False,
        return_before: bool = False,
        array_filters: Sequence[Mapping[str, Any]] = (),
        validate: bool = True,
        **fields: Any,
    ) -> D | None:
        """Do as `find_one_and_update` does, without blocking the event loop."""
        return await self._async.find_one_and_update(
            values,
            upsert=upsert,
            return_before=return_before,
            array_filters=array_filters,
            validate=validate,
            **fields,
        )

    def find_one_and_delete(self) -> D | None:
        """Delete the first document that matches, and return it as an object.

        Of the hooks only `after_load` runs. A later `persist` of the object inserts it again. The
        bytes of a `BlobModel` are deleted too.

        Returns:
            The object; None if no document matched.

        Raises:
            QueryError: The query skips, limits or samples.
            LedgerIsAppendOnly: The model is a ledger or a time series.
            TransactionError: The model is a `BlobModel` and a transaction is in force; nothing was
                sent.
            InvalidDocument: The deleted document did not fit the model.

        Example:
            >>> import loom_sync as lm
            >>> @lm.declare_persist_db("my_app", "jobs")
            ... class Job(lm.Persistable):
            ...     name: str
            >>> def next_job() -> Job | None:
            ...     return Job.filter().sort("created_at").find_one_and_delete()
        """
        refuse_change(self._model, "find_one_and_delete")
        self._require_one("find_one_and_delete")
        is_blob = issubclass(self._model, BlobDocument)
        if is_blob:
            blob_versions.refuse_bytes_in_transaction(self._model.__name__)
        found = write_commands.delete_first(self._model, self._spec)
        if found is None:
            return None
        if is_blob:
            blob_versions.delete_bytes(self._model, found["_id"])
        deleted = self._modified(found)
        set_baseline(deleted, None)
        return deleted

    async def find_one_and_delete_async(self) -> D | None:
        """Do as `find_one_and_delete` does, without blocking the event loop."""
        return await self._async.find_one_and_delete()

    def _modified(self, document: dict[str, Any]) -> D:
        loaded: D = hydrator(self._model).one(document)
        hooks.loaded((loaded,))
        return loaded

    def _require_one(self, action: str) -> None:
        spec = self._spec
        if spec.stages or spec.skip or spec.limit is not None:
            raise QueryError(
                f"{action}() takes a query of filters and sort keys: MongoDB cannot skip, limit or "
                "sample the documents of this command",
                hint="it changes the first document in the order of sort()",
            )

    @property
    def _async(self) -> async_find_and_modify.FindAndModifyQuery[D]:
        kind: type[async_find_and_modify.FindAndModifyQuery[D]] = (
            async_find_and_modify.FindAndModifyQuery
        )
        return self._as(kind)
