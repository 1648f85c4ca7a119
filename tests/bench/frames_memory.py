"""The peak memory of one load, in megabytes; arguments: URI, collection and operation."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from pathlib import Path

import psutil

import loom_async as lm
from tests.bench.frames import MODELS, load_by_pymongoarrow


def reset_peak() -> None:
    """Reset the peak of this process; works only on Linux."""
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    """Return the peak memory of this process in bytes."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


async def main(uri: str, name: str, operation: str) -> None:
    """Print the peak above the memory of the idle process, as JSON."""
    model = MODELS[name]
    async with lm.connect(uri):
        await model.filter().limit(10).load_table()  # imports the libraries and connects
        gc.collect()
        reset_peak()
        idle = psutil.Process().memory_info().rss
        if operation == "pymongoarrow":
            load_by_pymongoarrow(uri, model, name)
        elif operation == "load_table":
            await model.filter().load_table()
        else:
            async for batch in model.filter().load_batches():
                del batch
    print(json.dumps({"megabytes": (peak() - idle) / 1e6}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
