# Generated from tests/bench/frames_memory.py by `nox -s sync`: edit that file.
"""Megabytes at the peak of one way to load; server, collection and way are the arguments."""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

import psutil

import loom_sync as lm
from tests.bench.sync.frames import MODELS, arrow_alone


def forget_peak() -> None:
    """Have the peak count from here; Linux alone can."""
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    """Return the most bytes of memory that this process has had."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def main(uri: str, name: str, way: str) -> None:
    """Print the peak above the idle process as JSON."""
    model = MODELS[name]
    with lm.connect(uri):
        model.filter().limit(10).load_table()  # everything is imported and connected
        gc.collect()
        forget_peak()
        idle = psutil.Process().memory_info().rss
        if way == "pymongoarrow":
            arrow_alone(uri, model, name)
        elif way == "load_table":
            model.filter().load_table()
        else:
            for batch in model.filter().load_batches():
                del batch
    print(json.dumps({"megabytes": (peak() - idle) / 1e6}))


if __name__ == "__main__":
    main(*sys.argv[1:])
