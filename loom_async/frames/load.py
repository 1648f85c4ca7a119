"""`load_table`, `load_batches` and `aggregate_arrow`: query results as Arrow tables and batches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

from .. import _concurrency
from .._core.argument_checks import check_choice
from .._core.arrow.mismatches import OnMismatch
from .._core.context import OperationContext
from .._core.model.polymorphism import scope_of
from .._core.progress_bar import progress_bar
from .._core.query.query_spec import QuerySpec
from .._core.query.stages import AggregationStages, as_stages
from .._core.settings import settings
from .._core.traced_call import TracedCall
from ..operations.query_target import query_target
from .arrow_imports import import_arrow
from .batches import raw_batches

if TYPE_CHECKING:
    from pyarrow import RecordBatch, Schema, Table

    from .._core.arrow.table_builder import TableBuilder


async def load_table(
    model: type,
    spec: QuerySpec,
    schema: Callable[[], Schema | None],
    *,
    on_mismatch: OnMismatch,
    check: bool,
    progress: bool | None = None,
) -> Table:
    """Return the results of a query as a `pyarrow.Table`; see `Query.load_table`."""
    builder = await _table_builder(schema, on_mismatch, check=check)
    workers = settings().arrow_workers
    action = f"load a table of {model.__name__}"
    target = await query_target(model, spec.options)
    with (
        progress_bar(progress, f"load {model.__name__}") as advance,
        TracedCall(action),
    ):
        async with _concurrency.prefetch(raw_batches(target, spec, action=action)) as batches:
            async for raw in batches:
                advance(await _concurrency.in_worker(workers, builder.add, raw))
    table: Table = await _concurrency.in_worker(workers, builder.table)
    return table


async def aggregate_arrow(
    model: type, stages: AggregationStages | Sequence[Mapping[str, Any]], *, schema: Schema | None
) -> Table:
    """Return a pipeline's results as a `pyarrow.Table`; see `PersistableBase.aggregate_arrow`."""
    pipeline = as_stages(stages).to_list()
    scope = scope_of(model)
    filters = (scope,) if scope else ()
    # One stage at least: without any, the query would be a `find`.
    spec = QuerySpec(filters=filters, stages=tuple(pipeline) or ({"$match": {}},))
    return await load_table(model, spec, lambda: schema, on_mismatch="raise", check=True)


async def load_batches(
    model: type,
    spec: QuerySpec,
    schema: Callable[[], Schema | None],
    context: OperationContext,
    *,
    rows: int,
    on_mismatch: OnMismatch,
    check: bool,
    progress: bool | None,
) -> AsyncIterator[RecordBatch]:
    """Yield the results of a query as record batches; see `Query.load_batches`."""
    builder = await _table_builder(schema, on_mismatch, check=check)
    workers = settings().arrow_workers
    action = f"load batches of {model.__name__}"
    target = await query_target(model, spec.options, context)
    with (
        progress_bar(progress, f"load {model.__name__}") as advance,
        TracedCall(action),
    ):
        async with _concurrency.prefetch(raw_batches(target, spec, action=action)) as batches:
            async for raw in batches:
                advance(await _concurrency.in_worker(workers, builder.add, raw))
                for batch in await _concurrency.in_worker(workers, builder.take_batches, rows):
                    yield batch
        for batch in await _concurrency.in_worker(workers, builder.remaining_batches):
            yield batch


async def _table_builder(
    schema: Callable[[], Schema | None], on_mismatch: OnMismatch, *, check: bool
) -> TableBuilder:
    check_choice("on_mismatch", on_mismatch, get_args(OnMismatch))
    await import_arrow()
    from .._core.arrow.table_builder import TableBuilder

    return TableBuilder(schema(), on_mismatch, check=check)
