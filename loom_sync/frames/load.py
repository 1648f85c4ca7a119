# Generated from loom_async/frames/load.py by `nox -s sync`: edit that file.
"""`load_table`, `load_batches` and `aggregate_arrow`: query results as Arrow tables and batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

from loom_async._core.argument_checks import check_choice
from loom_async._core.arrow.mismatches import OnMismatch
from loom_async._core.context import OperationContext
from loom_async._core.model.polymorphism import scope_of
from loom_async._core.progress_bar import progress_bar
from loom_async._core.query.query_spec import QuerySpec
from loom_async._core.query.stages import AggregationStages, as_stages
from loom_async._core.settings import settings
from loom_async._core.traced_call import TracedCall

from .. import _concurrency
from ..operations.query_target import query_target
from .arrow_imports import import_arrow
from .batches import raw_batches

if TYPE_CHECKING:
    from pyarrow import RecordBatch, Schema, Table

    from loom_async._core.arrow.table_builder import TableBuilder


def load_table(
    model: type,
    spec: QuerySpec,
    schema: Callable[[], Schema | None],
    *,
    on_mismatch: OnMismatch,
    check: bool,
    progress: bool | None = None,
) -> Table:
    """Return the results of a query as a `pyarrow.Table`; see `Query.load_table`."""
    builder = _table_builder(schema, on_mismatch, check=check)
    workers = settings().arrow_workers
    action = f"load a table of {model.__name__}"
    target = query_target(model, spec.options)
    with (
        progress_bar(progress, f"load {model.__name__}") as advance,
        TracedCall(action),
    ):
        with _concurrency.prefetch(raw_batches(target, spec, action=action)) as batches:
            for raw in batches:
                advance(_concurrency.in_worker(workers, builder.add, raw))
    table: Table = _concurrency.in_worker(workers, builder.table)
    return table


def aggregate_arrow(
    model: type, stages: AggregationStages | Sequence[Mapping[str, Any]], *, schema: Schema | None
) -> Table:
    """Return a pipeline's results as a `pyarrow.Table`; see `PersistableBase.aggregate_arrow`."""
    pipeline = as_stages(stages).to_list()
    scope = scope_of(model)
    filters = (scope,) if scope else ()
    # One stage at least: without any, the query would be a `find`.
    spec = QuerySpec(filters=filters, stages=tuple(pipeline) or ({"$match": {}},))
    return load_table(model, spec, lambda: schema, on_mismatch="raise", check=True)


def load_batches(
    model: type,
    spec: QuerySpec,
    schema: Callable[[], Schema | None],
    context: OperationContext,
    *,
    rows: int,
    on_mismatch: OnMismatch,
    check: bool,
    progress: bool | None,
) -> Iterator[RecordBatch]:
    """Yield the results of a query as record batches; see `Query.load_batches`."""
    builder = _table_builder(schema, on_mismatch, check=check)
    workers = settings().arrow_workers
    action = f"load batches of {model.__name__}"
    target = query_target(model, spec.options, context)
    with (
        progress_bar(progress, f"load {model.__name__}") as advance,
        TracedCall(action),
    ):
        with _concurrency.prefetch(raw_batches(target, spec, action=action)) as batches:
            for raw in batches:
                advance(_concurrency.in_worker(workers, builder.add, raw))
                for batch in _concurrency.in_worker(workers, builder.take_batches, rows):
                    yield batch
        for batch in _concurrency.in_worker(workers, builder.remaining_batches):
            yield batch


def _table_builder(
    schema: Callable[[], Schema | None], on_mismatch: OnMismatch, *, check: bool
) -> TableBuilder:
    check_choice("on_mismatch", on_mismatch, get_args(OnMismatch))
    import_arrow()
    from loom_async._core.arrow.table_builder import TableBuilder

    return TableBuilder(schema(), on_mismatch, check=check)
