"""Every public call that does I/O, and what has to be whole after it was given up."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import pandas as pd
import pyarrow as pa

import loom_async as lm
from loom_async import fld
from tests.worlds.blob_calls import (
    deleting_versions,
    listing_versions,
    reading_bytes,
    writing_bytes,
)
from tests.worlds.called_models import ROWS, Call, FrameQuery, Gauge, Half, Row, SetUp, Target, Work

_NEW = 60

_numbers = itertools.count()


async def one() -> Row:
    row = await Row.filter(fld["number"] == 5).load_one()
    assert row is not None
    return row


async def inserting() -> Work:
    made: list[Row] = []

    async def call() -> None:
        made.append(Row(group=7))
        await made[-1].persist()

    async def settled() -> None:
        for row in made:
            await row.persist()
        found = await Row.filter(fld["group"] == 7).load_many()
        assert sorted(row.id for row in found) == sorted(row.id for row in made)

    return Work(call, settled=settled)


async def changing() -> Work:
    row = await one()
    times = 0

    async def call() -> None:
        nonlocal times
        times += 1
        row.text = f"{times}"
        row.count += 1
        await row.persist()

    async def settled() -> None:
        await row.persist()
        held = row.model_copy(deep=True)
        assert await row.reload() == held
        assert row.count == times

    return Work(call, settled, settled)


async def persisting_many() -> Work:
    changed = await Row.filter(fld["number"] < _NEW).load_many()
    made: list[Row] = []
    times = itertools.count(1)

    async def call() -> None:
        new = [Row(group=8, count=1) for _ in range(_NEW)]
        made.extend(new)
        for row in changed:
            row.count += 1
        next(times)
        await Row.persist_many([*changed, *new])

    async def settled() -> None:
        await Row.persist_many([*changed, *made])
        steps = next(times) - 1
        stored = await Row.filter(fld["number"].is_in(range(_NEW))).load_many()
        assert {row.count for row in stored} == {steps}
        found = await Row.filter(fld["group"] == 8).load_many()
        assert Counter(row.id for row in found) == Counter(row.id for row in made)
        assert {row.count for row in found} == {1}

    return Work(call, settled=settled)


async def reloading() -> Work:
    row = await one()

    async def whole() -> None:
        assert (await row.reload()).number == 5

    return Work(row.reload, whole)


async def deleting() -> Work:
    made: list[Row] = []

    async def call() -> None:
        await Row.filter(fld["number"] == 6).load_one()
        made.append(Row(group=9))
        await made[-1].persist()
        await made[-1].delete()

    async def settled() -> None:
        for row in made:
            await row.delete()
        assert not await Row.filter(fld["group"] == 9).exists()

    return Work(call, settled=settled)


async def reading(read: Callable[[], Coroutine[Any, Any, object]]) -> Work:
    return Work(read)


async def stream() -> None:
    assert len([row async for row in Row.filter().stream()]) >= ROWS


async def stream_aggregate() -> None:
    stages = lm.AggregationStages().match(fld["number"] >= 0)
    assert len([row async for row in Row.agg(stages).load_aggregate()]) == ROWS


async def batches() -> None:
    assert [batch async for batch in Row.filter().load_batches(rows=100)]


async def load_all() -> None:
    assert len(await Row.filter(fld["number"] >= 0).load_many()) == ROWS


async def watching() -> Work:
    async def call() -> None:
        async with Half.watch() as changes:
            await Half(pair=-1).persist()
            async for change in changes:
                assert change.operation == "insert"
                break

    return Work(call)


async def transacting(run: Callable[[Call], Coroutine[Any, Any, None]]) -> Work:
    async def call() -> None:
        pair = next(_numbers)

        async def write() -> None:
            await Half(pair=pair).persist()
            await Half.persist_many([Half(pair=pair)])

        await run(write)

    async def settled() -> None:
        found = await Half.filter(fld["pair"] >= 0).load_many()
        assert set(Counter(half.pair for half in found).values()) <= {2}

    return Work(call, settled=settled)


async def in_a_block(write: Call) -> None:
    async with lm.transaction():
        await write()


async def in_a_function(write: Call) -> None:
    await lm.in_transaction(write)


async def inserting_frames() -> Work:
    async def call() -> None:
        batch = next(_numbers)
        rows = {"batch": [batch] * 500, "number": [*range(500)]}
        await FrameQuery.insert_dataframe(pa.table(rows))

    async def settled() -> None:
        found = await FrameQuery.filter().load_docs()
        assert set(Counter((row["batch"], row["number"]) for row in found).values()) <= {1}

    return Work(call, settled=settled)


async def updating_frames() -> Work:
    frame = await Row.filter(fld["number"] < 150).load_dataframe()

    async def call() -> None:
        group = next(_numbers)
        changed = pd.DataFrame({"number": frame["number"], "group": group})
        await Row.update_dataframe(changed, on=["number"])

    return Work(call)


async def merging() -> Work:
    async def call() -> None:
        await Row.filter(fld["number"] >= 0).merge_into(Target)

    async def settled() -> None:
        await call()
        assert await Target.filter().count() == ROWS

    return Work(call, settled=settled)


async def setting_up(step: Callable[[], Coroutine[Any, Any, object]]) -> Work:
    async def call() -> None:
        await step()

    return Work(call, settled=call)


def all_rows() -> Any:
    return Row.filter(fld["number"] >= 0)


_STAGES = lm.AggregationStages().group({"_id": "$group", "n": {"$sum": 1}})

READS: dict[str, Call] = {
    "from_id": lambda: Row.from_id("64f8a0000000000000000000"),
    "load_one": one,
    "load_many": load_all,
    "load_latest": lambda: all_rows().load_latest(5),
    "load_docs": lambda: all_rows().load_docs(),
    "stream": stream,
    "load_aggregate": stream_aggregate,
    "page": lambda: all_rows().sort("number").page(50),
    "count": lambda: all_rows().count(),
    "exists": lambda: all_rows().exists(),
    "distinct": lambda: all_rows().distinct("number"),
    "explain": lambda: all_rows().explain(),
    "aggregation": lambda: Row.agg(_STAGES).load_many(),
    "load_table": lambda: all_rows().load_table(),
    "load_dataframe": lambda: all_rows().load_dataframe(),
    "load_polars": lambda: all_rows().load_polars(),
    "load_batches": batches,
    "aggregate_arrow": lambda: Row.aggregate_arrow(_STAGES),
}

SET_UPS: dict[str, Call] = {
    "update": lambda: all_rows().update(group=3),
    "delete": lambda: Row.filter(fld["group"] == 99).delete(),
    "sync_indexes": lambda: SetUp.sync_indexes(drop=True),
    "create_collection": Gauge.create_collection,
    "ensure_validator": SetUp.ensure_validator,
    "out": lambda: all_rows().out(Target),
}

WORKS: dict[str, Callable[[], Coroutine[Any, Any, Work]]] = {
    "persist a new object": inserting,
    "persist": changing,
    "persist_many": persisting_many,
    "reload": reloading,
    "delete of an object": deleting,
    **{name: (lambda read=read: reading(read)) for name, read in READS.items()},
    **{name: (lambda step=step: setting_up(step)) for name, step in SET_UPS.items()},
    "transaction": lambda: transacting(in_a_block),
    "in_transaction": lambda: transacting(in_a_function),
    "write_from": writing_bytes,
    "open_read": reading_bytes,
    "versions": listing_versions,
    "delete_version": deleting_versions,
    "insert_dataframe": inserting_frames,
    "update_dataframe": updating_frames,
    "merge_into": merging,
    "watch": watching,
}
