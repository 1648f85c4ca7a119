# Generated from tests/bench/frames_memory.py by `nox -s sync`: edit that file.
"""The peak memory of one load, in megabytes; arguments: URI, collection and operation."""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

import psutil

import loom_sync as lm
from tests.bench.sync.frames import MODELS, load_by_pymongoarrow


def reset_peak() -> None:
    """Reset the peak of this process; works only on Linux."""
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    """Return the peak memory of this process in bytes."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def main(uri: str, name: str, operation: str) -> None:
    """Print the peak above the memory of the idle process, as JSON."""
    model = MODELS[name]
    with lm.connect(uri):
        model.filter().limit(10).load_table()  # imports the libraries and connects
        gc.collect()
        reset_peak()
        idle = psutil.Process().memory_info().rss
        if operation == "pymongoarrow":
            load_by_pymongoarrow(uri, model, name)
        elif operation == "load_table":
            model.filter().load_table()
        else:
            for batch in model.filter().load_batches():
                del batch
    print(json.dumps({"megabytes": (peak() - idle) / 1e6}))


if __name__ == "__main__":
    main(*sys.argv[1:])
