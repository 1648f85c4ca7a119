# Generated from tests/bench/frames.py by `nox -s sync`: edit that file.
"""Frames in and out: Loom, pymongoarrow alone, and the way before both, on one server.

Run it by `nox -s bench_frames -- --rows 500000 --rounds 5`. Every round runs each way once, in
turn; medians and their ratios to pymongoarrow are printed, and written as JSON where `--json` says.
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


class OperationContext(BaseModel):
    street: str
    city: str
    zip: int


@lm.declare_persist_db(DATABASE, "flat")
class Flat(Base):
    city: str


@lm.declare_persist_db(DATABASE, "nested")
class Nested(Base):
    address: OperationContext
    tags: list[str]


@lm.declare_persist_db(DATABASE, "target")
class Target(Flat):
    pass


MODELS: dict[str, type[Base]] = {"flat": Flat, "nested": Nested}
Way = Callable[[], Any]


def arrow_alone(uri: str, model: type[Base], name: str) -> Any:
    """Load by pymongoarrow with the types that Loom gives it."""
    api = library("pymongoarrow.api")
    decoded = columns_of(model.get_arrow_schema()).root.pymongoarrow_type
    with MongoClient[dict[str, Any]](uri, tz_aware=True) as client:
        schema = api.Schema({field.name: field.type for field in decoded})
        return api.aggregate_arrow_all(client[DATABASE][name], [], schema=schema)


def legacy(uri: str, name: str) -> Any:
    """Load as one does without either: documents of a cursor into a frame."""
    with MongoClient[dict[str, Any]](uri, tz_aware=True) as client:
        return pd.DataFrame(list(client[DATABASE][name].find()))


def write_alone(uri: str, table: Any) -> Any:
    """Store by pymongoarrow."""
    with MongoClient[dict[str, Any]](uri, tz_aware=True) as client:
        return library("pymongoarrow.api").write(client[DATABASE]["target"], table)


def loading(uri: str, name: str) -> dict[str, Way]:
    """Return the ways to load, by name."""
    model = MODELS[name]
    return {
        "pymongoarrow": partial(_concurrency.in_thread, arrow_alone, uri, model, name),
        "load_table": lambda: model.filter().load_table(),
        "load_table(check=False)": lambda: model.filter().load_table(check=False),
        "legacy": partial(_concurrency.in_thread, legacy, uri, name),
        "load_dataframe": lambda: model.filter().load_dataframe(),
        "load_polars": lambda: model.filter().load_polars(),
    }


def storing(uri: str, table: Any) -> dict[str, Way]:
    """Return the ways to store, by name."""
    return {
        "pymongoarrow write": partial(_concurrency.in_thread, write_alone, uri, table),
        "insert_dataframe": lambda: Target.insert_dataframe(table),
        "insert_dataframe(validate=False)": lambda: Target.insert_dataframe(table, validate=False),
    }


def measure(ways: dict[str, Way], rounds: int, before: Way) -> dict[str, list[float]]:
    """Return the seconds of every round, by way; each round begins with another."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    for number in range(rounds + 1):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            before()
            gc.collect()
            start = time.perf_counter()
            result = ways[name]()
            taken = time.perf_counter() - start
            del result
            if number:  # the first round warms up
                spent[name].append(taken)
        print(f"round {number} of {rounds}", file=sys.stderr)
    return spent


def peak_memory(uri: str, name: str, way: str) -> float:
    """Return the megabytes that a way needs at its peak, above those of the idle process."""
    command = [sys.executable, "-m", f"{__package__}.frames_memory", uri, name, way]
    output = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(output.stdout)["megabytes"])


def report(title: str, spent: dict[str, list[float]], base: str, rows: int) -> dict[str, float]:
    """Print medians, and the median of each round's ratio to one way."""
    print(f"\n{title}")
    ratios: dict[str, float] = {}
    for name, seconds in spent.items():
        rate = rows / statistics.median(seconds)
        pairs = zip(spent[base], seconds, strict=True)
        ratios[name] = statistics.median(theirs / ours for theirs, ours in pairs)
        print(f"  {name:34} {rate:12,.0f} rows/s {ratios[name]:6.2f} × {base}")
    return ratios


def run(uri: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure and report."""
    found: dict[str, Any] = {"rows": arguments.rows}
    with lm.connect(uri) as client:

        def nothing() -> None:
            return None

        def emptied() -> None:
            client[DATABASE]["target"].drop()

        for name in MODELS:
            rows = fake_rows(arguments.rows, nested=name == "nested")
            while batch := [row for row, _ in zip(rows, range(_CHUNK), strict=False)]:
                client[DATABASE][name].insert_many(batch)
            spent = measure(loading(uri, name), arguments.rounds, nothing)
            found[f"load {name}"] = report(
                f"load {arguments.rows:,} {name} documents", spent, "pymongoarrow", arguments.rows
            )
            print(f"\npeak memory above idle, {name}")
            found[f"memory {name}"] = {}
            for way in ("pymongoarrow", "load_table", "load_batches"):
                size = peak_memory(uri, name, way)
                found[f"memory {name}"][way] = size
                print(f"  {way:34} {size:12,.0f} MB")
        table = Flat.filter().limit(arguments.insert).load_table().drop_columns(["_id"])
        spent = measure(storing(uri, table), arguments.rounds, emptied)
        found["store"] = report(
            f"store {table.num_rows:,} rows", spent, "pymongoarrow write", table.num_rows
        )
    return found


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--insert", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    lease = start_embedded(temporary=True)
    try:
        found = run(lease.uri, arguments)
    finally:
        lease.release()
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
