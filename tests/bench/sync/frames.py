# Generated from tests/bench/frames.py by `nox -s sync`: edit that file.
"""Loading and storing frames: Loom, pymongoarrow, and cursors with pandas, on one server.

Run it by `nox -s bench_frames -- --rows 500000 --rounds 5`. Each round runs each operation once.
Medians and their ratios to pymongoarrow are printed, and written to the JSON file of `--json`.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel
from pymongo import MongoClient

import loom_sync as lm
from loom_async._core.arrow.arrow_types import columns_of
from loom_async._core.optional_libraries import library
from loom_sync import _concurrency
from loom_sync.connection.embedded_server import start_embedded
from tests.fake_rows import fake_rows

DATABASE = "bench"
_CHUNK = 50_000


class Base(lm.PersistableBase):
    name: str
    email: str
    age: int
    score: float
    is_active: bool
    joined: datetime
    note: str


class Address(BaseModel):
    street: str
    city: str
    zip: int


@lm.declare_persist_db(DATABASE, "flat")
class Flat(Base):
    city: str


@lm.declare_persist_db(DATABASE, "nested")
class Nested(Base):
    address: Address
    tags: list[str]


@lm.declare_persist_db(DATABASE, "target")
class Target(Flat):
    pass


MODELS: dict[str, type[Base]] = {"flat": Flat, "nested": Nested}
Operation = Callable[[], Any]


def load_by_pymongoarrow(uri: str, model: type[Base], name: str) -> Any:
    """Load by pymongoarrow with the types that Loom passes to it."""
    api = library("pymongoarrow.api")
    decoded = columns_of(model.get_arrow_schema()).root.pymongoarrow_type
    with MongoClient[dict[str, Any]](uri, tz_aware=True) as client:
        schema = api.Schema({field.name: field.type for field in decoded})
        return api.aggregate_arrow_all(client[DATABASE][name], [], schema=schema)


def load_by_cursor(uri: str, name: str) -> Any:
    """Load the documents of a cursor into a frame, without Loom and pymongoarrow."""
    with MongoClient[dict[str, Any]](uri, tz_aware=True) as client:
        return pd.DataFrame(list(client[DATABASE][name].find()))


def write_by_pymongoarrow(uri: str, table: Any) -> Any:
    """Store a table by pymongoarrow."""
    with MongoClient[dict[str, Any]](uri, tz_aware=True) as client:
        return library("pymongoarrow.api").write(client[DATABASE]["target"], table)


def load_operations(uri: str, name: str) -> dict[str, Operation]:
    """Return the operations that load, by name."""
    model = MODELS[name]
    return {
        "pymongoarrow": partial(_concurrency.in_thread, load_by_pymongoarrow, uri, model, name),
        "load_table": lambda: model.filter().load_table(),
        "load_table(check=False)": lambda: model.filter().load_table(check=False),
        "legacy": partial(_concurrency.in_thread, load_by_cursor, uri, name),
        "load_dataframe": lambda: model.filter().load_dataframe(),
        "load_polars": lambda: model.filter().load_polars(),
    }


def store_operations(uri: str, table: Any) -> dict[str, Operation]:
    """Return the operations that store, by name."""
    return {
        "pymongoarrow write": partial(_concurrency.in_thread, write_by_pymongoarrow, uri, table),
        "insert_dataframe": lambda: Target.insert_dataframe(table),
        "insert_dataframe(validate=False)": lambda: Target.insert_dataframe(table, validate=False),
    }


def measure(
    operations: dict[str, Operation], rounds: int, before: Operation
) -> dict[str, list[float]]:
    """Return the seconds of all rounds by operation; each round begins with a different one."""
    times: dict[str, list[float]] = {name: [] for name in operations}
    names = list(operations)
    for number in range(rounds + 1):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            before()
            gc.collect()
            start = time.perf_counter()
            result = operations[name]()
            elapsed = time.perf_counter() - start
            del result
            if number:  # the first round warms up
                times[name].append(elapsed)
        print(f"round {number} of {rounds}", file=sys.stderr)
    return times


def peak_memory(uri: str, name: str, operation: str) -> float:
    """Return the peak memory of an operation, in megabytes above the idle process."""
    command = [sys.executable, "-m", f"{__package__}.frames_memory", uri, name, operation]
    output = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(output.stdout)["megabytes"])


def report(title: str, times: dict[str, list[float]], base: str, rows: int) -> dict[str, float]:
    """Print medians, and the median ratio to the base operation in the same round."""
    print(f"\n{title}")
    ratios: dict[str, float] = {}
    for name, seconds in times.items():
        rate = rows / statistics.median(seconds)
        pairs = zip(times[base], seconds, strict=True)
        ratios[name] = statistics.median(
            base_seconds / own_seconds for base_seconds, own_seconds in pairs
        )
        print(f"  {name:34} {rate:12,.0f} rows/s {ratios[name]:6.2f} × {base}")
    return ratios


def run(uri: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure all operations, and report the results."""
    results: dict[str, Any] = {"rows": arguments.rows}
    with lm.connect(uri) as client:

        def no_setup() -> None:
            return None

        def drop_target() -> None:
            client[DATABASE]["target"].drop()

        for name in MODELS:
            rows = fake_rows(arguments.rows, nested=name == "nested")
            while batch := [row for row, _ in zip(rows, range(_CHUNK), strict=False)]:
                client[DATABASE][name].insert_many(batch)
            times = measure(load_operations(uri, name), arguments.rounds, no_setup)
            results[f"load {name}"] = report(
                f"load {arguments.rows:,} {name} documents", times, "pymongoarrow", arguments.rows
            )
            print(f"\npeak memory above idle, {name}")
            results[f"memory {name}"] = {}
            for operation in ("pymongoarrow", "load_table", "load_batches"):
                size = peak_memory(uri, name, operation)
                results[f"memory {name}"][operation] = size
                print(f"  {operation:34} {size:12,.0f} MB")
        table = Flat.filter().limit(arguments.insert).load_table().drop_columns(["_id"])
        times = measure(store_operations(uri, table), arguments.rounds, drop_target)
        results["store"] = report(
            f"store {table.num_rows:,} rows", times, "pymongoarrow write", table.num_rows
        )
    return results


def main() -> None:
    """Run the benchmark; print the results and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--insert", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    lease = start_embedded(temporary=True)
    try:
        results = run(lease.uri, arguments)
    finally:
        lease.release()
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
