"""Megabytes at the peak of one way to load; server, collection and way are the arguments."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from pathlib import Path

import psutil

import loom_async as lm
from tests.bench.frames import MODELS, arrow_alone


def forget_peak() -> None:
    """Have the peak count from here; Linux alone can."""
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    """Return the most bytes of memory that this process has had."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


async def main(uri: str, name: str, way: str) -> None:
    """Print the peak above the idle process as JSON."""
    model = MODELS[name]
    async with lm.connect(uri):
        await model.filter().limit(10).load_table()  # everything is imported and connected
        gc.collect()
        forget_peak()
        idle = psutil.Process().memory_info().rss
        if way == "pymongoarrow":
            arrow_alone(uri, model, name)
        elif way == "load_table":
            await model.filter().load_table()
        else:
            async for batch in model.filter().load_batches():
                del batch
    print(json.dumps({"megabytes": (peak() - idle) / 1e6}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
