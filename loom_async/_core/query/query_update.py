"""The update of a query with all that its command needs: operators, array filters, upsert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from ..errors import QueryError
from ..model.auto_fields import write_auto_values
from ..model.document import DocumentModel
from ..model.revisions import revision_to_count
from .array_paths import ArrayPathResolver, compile_array_filters
from .left_out import leave_out_none
from .stage_base import StageSequence
from .update_operators import compile_update
from .upsert import add_insertion_values


@dataclass(frozen=True)
class UpdateArguments:
    """The arguments of `update` and `find_one_and_update`, as the caller has given them.

    `values` are fields to set by dotted path, update operators, or the stages of a pipeline;
    `fields` are fields by name.
    """

    values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | StageSequence | None
    fields: Mapping[str, Any]
    upsert: bool = False
    array_filters: Sequence[Mapping[str, Any]] = field(default=())
    validate: bool = True


class QueryUpdate(NamedTuple):
    """A compiled update of the documents of a query.

    `upsert` is true if it inserts a document where the query matches none.
    """

    update: dict[str, Any] | list[dict[str, Any]]
    array_filters: list[dict[str, Any]]
    upsert: bool


def compile_query_update(
    model: type[DocumentModel],
    filter: Mapping[str, Any],
    arguments: UpdateArguments,
    now: datetime,
) -> QueryUpdate:
    """Return the update of the documents that match a filter.

    Parameters:
        model: The model of the documents.
        filter: The compiled filter.
        arguments: What to change.
        now: The time of the operation.

    Raises:
        UnknownFieldError: The model lacks a field.
        QueryError: The update is invalid, or what it would insert.
    """
    resolver = ArrayPathResolver(model)
    update = compile_update(
        resolver,
        arguments.values,
        arguments.fields,
        auto_values=write_auto_values(model, now),
        revision=revision_to_count(model),
        validate=arguments.validate,
    )
    array_filters = compile_array_filters(resolver, arguments.array_filters)
    if arguments.upsert:
        if resolver.matched_path is not None:
            raise QueryError(
                f"an upsert cannot have {resolver.matched_path!r}: a new document has no element "
                "that the query matched",
                hint="use $[x] with array_filters, or leave out upsert",
            )
        if not isinstance(update, dict):
            raise QueryError(
                "an upsert takes fields or operators, and no stages of a pipeline",
                hint='update({"$inc": {"n": 1}}, upsert=True)',
            )
        add_insertion_values(model, update, filter, now)
    if resolver.sparse is not None and isinstance(update, dict):
        leave_out_none(resolver, update, is_upsert=arguments.upsert)
    return QueryUpdate(update, array_filters, arguments.upsert)
