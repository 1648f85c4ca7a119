"""The libraries of frames take up to a second to import: the event loop goes on meanwhile."""

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

async def load(how):
    if how == "load_batches":
        return [batch async for batch in Row.filter().load_batches()]
    if how == "aggregate_arrow":
        return await Row.aggregate_arrow(lm.AggregationStages().limit(1))
    return await getattr(Row.filter(), how)()

async def tick(gaps):
    last = time.perf_counter()
    while True:
        await asyncio.sleep(0)
        now = time.perf_counter()
        gaps.append(now - last)
        last = now

async def main(uri, how):
    assert "pyarrow" not in sys.modules
    async with lm.connect(uri):
        assert await Row.filter().count() == 0
        gaps = []
        ticking = asyncio.create_task(tick(gaps))
        await asyncio.sleep(0.01)
        begun = time.perf_counter()
        await load(how)
        took = time.perf_counter() - begun
        await asyncio.sleep(0)
        ticking.cancel()
    assert "pyarrow" in sys.modules
    print(max(gaps) / took)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize(
    "how", ["load_table", "load_dataframe", "load_polars", "load_batches", "aggregate_arrow"]
)
def test_the_first_load_does_not_stop_the_event_loop(mongo_uri: str, how: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _SCRIPT, mongo_uri, how],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    assert float(done.stdout) < 0.5, "a part of the time in which the event loop stood still"
