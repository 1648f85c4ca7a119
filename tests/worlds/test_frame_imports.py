"""Importing pyarrow and pandas takes up to a second, and does not block the event loop."""

from __future__ import annotations

import subprocess
import sys

import pytest

_SCRIPT = """
import asyncio, sys, time
import loom_async as lm

@lm.declare_persist_db("imports_db", "rows")
class Row(lm.PersistableBase):
    number: int

async def load(method):
    if method == "load_batches":
        return [batch async for batch in Row.filter().load_batches()]
    if method == "aggregate_arrow":
        return await Row.aggregate_arrow(lm.AggregationStages().limit(1))
    return await getattr(Row.filter(), method)()

async def tick(gaps):
    last = time.perf_counter()
    while True:
        await asyncio.sleep(0)
        now = time.perf_counter()
        gaps.append(now - last)
        last = now

async def main(uri, method):
    assert "pyarrow" not in sys.modules
    async with lm.connect(uri):
        assert await Row.filter().count() == 0
        gaps = []
        ticking = asyncio.create_task(tick(gaps))
        await asyncio.sleep(0.01)
        start = time.perf_counter()
        await load(method)
        seconds = time.perf_counter() - start
        await asyncio.sleep(0)
        ticking.cancel()
    assert "pyarrow" in sys.modules
    print(max(gaps) / seconds)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize(
    "method", ["load_table", "load_dataframe", "load_polars", "load_batches", "aggregate_arrow"]
)
def test_the_first_load_does_not_block_the_event_loop(mongo_uri: str, method: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _SCRIPT, mongo_uri, method],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    assert float(done.stdout) < 0.5, "this share of the time the event loop was blocked"
