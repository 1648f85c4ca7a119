"""Every public call that does I/O, and what must hold after it was cancelled."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import pandas as pd
import pyarrow as pa

import loom_async as lm
from loom_async import fld
from tests.worlds.cancellation_blob_cases import (
    delete_version_case,
    read_case,
    versions_case,
    write_case,
)
from tests.worlds.cancellation_models import (
    ROWS,
    Call,
    CancellationCase,
    FrameRow,
    Gauge,
    Half,
    Row,
    SetUp,
    Target,
)

_COUNT = 60

_numbers = itertools.count()


async def load_one() -> Row:
    row = await Row.filter(fld["number"] == 5).load_one()
    assert row is not None
    return row


async def insert_case() -> CancellationCase:
    created: list[Row] = []

    async def call() -> None:
        created.append(Row(group=7))
        await created[-1].persist()

    async def check_end() -> None:
        for row in created:
            await row.persist()
        found = await Row.filter(fld["group"] == 7).load_many()
        assert sorted(row.id for row in found) == sorted(row.id for row in created)

    return CancellationCase(call, check_end=check_end)


async def update_case() -> CancellationCase:
    row = await load_one()
    calls = 0

    async def call() -> None:
        nonlocal calls
        calls += 1
        row.text = f"{calls}"
        row.count += 1
        await row.persist()

    async def check_end() -> None:
        await row.persist()
        held = row.model_copy(deep=True)
        assert await row.reload() == held
        assert row.count == calls

    return CancellationCase(call, check_end, check_end)


async def persist_many_case() -> CancellationCase:
    changed = await Row.filter(fld["number"] < _COUNT).load_many()
    created: list[Row] = []
    calls = itertools.count(1)

    async def call() -> None:
        new = [Row(group=8, count=1) for _ in range(_COUNT)]
        created.extend(new)
        for row in changed:
            row.count += 1
        next(calls)
        await Row.persist_many([*changed, *new])

    async def check_end() -> None:
        await Row.persist_many([*changed, *created])
        count = next(calls) - 1
        stored = await Row.filter(fld["number"].is_in(range(_COUNT))).load_many()
        assert {row.count for row in stored} == {count}
        found = await Row.filter(fld["group"] == 8).load_many()
        assert Counter(row.id for row in found) == Counter(row.id for row in created)
        assert {row.count for row in found} == {1}

    return CancellationCase(call, check_end=check_end)


async def reload_case() -> CancellationCase:
    row = await load_one()

    async def check() -> None:
        assert (await row.reload()).number == 5

    return CancellationCase(row.reload, check)


async def delete_case() -> CancellationCase:
    created: list[Row] = []

    async def call() -> None:
        await Row.filter(fld["number"] == 6).load_one()
        created.append(Row(group=9))
        await created[-1].persist()
        await created[-1].delete()

    async def check_end() -> None:
        for row in created:
            await row.delete()
        assert not await Row.filter(fld["group"] == 9).exists()

    return CancellationCase(call, check_end=check_end)


async def read_only_case(read: Callable[[], Coroutine[Any, Any, object]]) -> CancellationCase:
    return CancellationCase(read)


async def stream() -> None:
    assert len([row async for row in Row.filter().stream()]) >= ROWS


async def load_aggregate() -> None:
    stages = lm.AggregationStages().match(fld["number"] >= 0)
    assert len([row async for row in Row.agg(stages).load_aggregate()]) == ROWS


async def load_batches() -> None:
    assert [batch async for batch in Row.filter().load_batches(rows=100)]


async def load_all() -> None:
    assert len(await Row.filter(fld["number"] >= 0).load_many()) == ROWS


async def watch_case() -> CancellationCase:
    async def call() -> None:
        async with Half.watch() as changes:
            await Half(pair=-1).persist()
            async for change in changes:
                assert change.operation == "insert"
                break

    return CancellationCase(call)


async def transaction_case(run: Callable[[Call], Coroutine[Any, Any, None]]) -> CancellationCase:
    async def call() -> None:
        pair = next(_numbers)

        async def write() -> None:
            await Half(pair=pair).persist()
            await Half.persist_many([Half(pair=pair)])

        await run(write)

    async def check_end() -> None:
        found = await Half.filter(fld["pair"] >= 0).load_many()
        assert set(Counter(half.pair for half in found).values()) <= {2}

    return CancellationCase(call, check_end=check_end)


async def in_block(write: Call) -> None:
    async with lm.transaction():
        await write()


async def in_function(write: Call) -> None:
    await lm.in_transaction(write)


async def insert_frame_case() -> CancellationCase:
    async def call() -> None:
        batch = next(_numbers)
        rows = {"batch": [batch] * 500, "number": [*range(500)]}
        await FrameRow.insert_dataframe(pa.table(rows))

    async def check_end() -> None:
        found = await FrameRow.filter().load_docs()
        assert set(Counter((row["batch"], row["number"]) for row in found).values()) <= {1}

    return CancellationCase(call, check_end=check_end)


async def update_frame_case() -> CancellationCase:
    frame = await Row.filter(fld["number"] < 150).load_dataframe()

    async def call() -> None:
        group = next(_numbers)
        changed = pd.DataFrame({"number": frame["number"], "group": group})
        await Row.update_dataframe(changed, on=["number"])

    return CancellationCase(call)


async def merge_case() -> CancellationCase:
    async def call() -> None:
        await Row.filter(fld["number"] >= 0).merge_into(Target)

    async def check_end() -> None:
        await call()
        assert await Target.filter().count() == ROWS

    return CancellationCase(call, check_end=check_end)


async def repeatable_case(write: Callable[[], Coroutine[Any, Any, object]]) -> CancellationCase:
    async def call() -> None:
        await write()

    return CancellationCase(call, check_end=call)


def all_rows() -> Any:
    return Row.filter(fld["number"] >= 0)


_STAGES = lm.AggregationStages().group({"_id": "$group", "n": {"$sum": 1}})

READS: dict[str, Call] = {
    "from_id": lambda: Row.from_id("64f8a0000000000000000000"),
    "load_one": load_one,
    "load_many": load_all,
    "load_latest": lambda: all_rows().load_latest(5),
    "load_docs": lambda: all_rows().load_docs(),
    "stream": stream,
    "load_aggregate": load_aggregate,
    "page": lambda: all_rows().sort("number").page(50),
    "count": lambda: all_rows().count(),
    "exists": lambda: all_rows().exists(),
    "distinct": lambda: all_rows().distinct("number"),
    "explain": lambda: all_rows().explain(),
    "aggregation": lambda: Row.agg(_STAGES).load_many(),
    "load_table": lambda: all_rows().load_table(),
    "load_dataframe": lambda: all_rows().load_dataframe(),
    "load_polars": lambda: all_rows().load_polars(),
    "load_batches": load_batches,
    "aggregate_arrow": lambda: Row.aggregate_arrow(_STAGES),
}

REPEATABLE: dict[str, Call] = {
    "update": lambda: all_rows().update(group=3),
    "delete": lambda: Row.filter(fld["group"] == 99).delete(),
    "sync_indexes": lambda: SetUp.sync_indexes(drop=True),
    "create_collection": Gauge.create_collection,
    "ensure_validator": SetUp.ensure_validator,
    "out": lambda: all_rows().out(Target),
}

CASES: dict[str, Callable[[], Coroutine[Any, Any, CancellationCase]]] = {
    "persist a new object": insert_case,
    "persist": update_case,
    "persist_many": persist_many_case,
    "reload": reload_case,
    "delete of an object": delete_case,
    **{name: (lambda read=read: read_only_case(read)) for name, read in READS.items()},
    **{name: (lambda write=write: repeatable_case(write)) for name, write in REPEATABLE.items()},
    "transaction": lambda: transaction_case(in_block),
    "in_transaction": lambda: transaction_case(in_function),
    "write_from": write_case,
    "open_read": read_case,
    "versions": versions_case,
    "delete_version": delete_version_case,
    "insert_dataframe": insert_frame_case,
    "update_dataframe": update_frame_case,
    "merge_into": merge_case,
    "watch": watch_case,
}
