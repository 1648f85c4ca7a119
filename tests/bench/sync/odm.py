# Generated from tests/bench/odm.py by `nox -s sync`: edit that file.
"""Documents per second: Loom, pymongo with pydantic, and peers if installed, on one server.

Run it by `nox -s bench -- --documents 20000 --rounds 10`. Each round runs the bulk operations of
each contender, and operations on single documents in alternating blocks. Medians and their ratios
to plain pymongo are printed.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from loom_sync.connection.embedded_server import start_embedded
from tests.bench.sync.contenders import CONTENDERS, Contender, make_rows
from tests.bench.sync.rounds import add_json_option, write_json
from tests.sync._concurrency import together

# The operations of a block on single documents: contenders alternate so often that a machine that
# is busy for seconds slows all of them equally.
_BLOCK = 50

Rates = dict[str, float]
Operation = Callable[[Contender, Sequence[Any]], Any]


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that a call takes, and its result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def measure_bulk(contender: Contender, documents: int) -> tuple[Rates, list[Any]]:
    """Return the documents per second of bulk operations, and the loaded models."""
    contender.drop()
    rows = make_rows(documents)
    first, rest = rows[: contender.bulk_size], rows[contender.bulk_size or documents :]
    many = contender.build(first)
    gc.collect()
    insert_seconds, _ = seconds(partial(contender.insert_many, many))
    contender.fill(rest)
    del many
    gc.collect()
    find_seconds, loaded = seconds(contender.find_all)
    return {
        "insert many": len(first) / insert_seconds,
        "find to models": documents / find_seconds,
    }, loaded


def insert_one_by_one(contender: Contender, items: Sequence[Any]) -> None:
    """Insert new objects, one after another."""
    for item in items:
        contender.insert_one(item)


def get_one_by_one(contender: Contender, items: Sequence[Any]) -> None:
    """Load by id, one after another."""
    for item in items:
        contender.get(item.id)


def get_concurrently(contender: Contender, items: Sequence[Any]) -> None:
    """Load by id, a hundred at a time."""
    keys = [item.id for item in (*items, *items)]
    together(*(partial(contender.get, key) for key in keys[:100]))


def change_and_persist(contender: Contender, items: Sequence[Any]) -> None:
    """Change one field of loaded objects and store it."""
    for item in items:
        item.age += 1
        contender.save_age(item)


SINGLES: dict[str, tuple[Operation, int]] = {
    "insert one": (insert_one_by_one, _BLOCK),
    "get by id": (get_one_by_one, _BLOCK),
    "get by id, 100 at once": (get_concurrently, 100),
    "change and persist": (change_and_persist, _BLOCK),
}


def measure_singles(
    contenders: Sequence[Contender], loaded: dict[str, list[Any]], singles: int
) -> dict[str, Rates]:
    """Return the operations per second of each contender, measured in alternating blocks."""
    rates: dict[str, Rates] = {contender.name: {} for contender in contenders}
    for operation, (work, count) in SINGLES.items():
        times = dict.fromkeys(rates, 0.0)
        gc.collect()
        for start in range(0, singles, _BLOCK):
            for contender in rotated(contenders, start // _BLOCK):
                items = loaded[contender.name][start : start + _BLOCK]
                if operation == "insert one":
                    items = contender.build(make_rows(_BLOCK))
                times[contender.name] += seconds(partial(work, contender, items))[0]
        for name, total in times.items():
            rates[name][operation] = singles // _BLOCK * count / total
    return rates


def rotated(contenders: Sequence[Contender], number: int) -> list[Contender]:
    """Rotate the contenders, since a heavy write slows down the contender after it."""
    offset = number % len(contenders)
    return [*contenders[offset:], *contenders[:offset]]


def run(uri: str, documents: int, rounds: int, singles: int) -> dict[str, list[Rates]]:
    """Return the rates of each round by contender."""
    contenders = [make(uri) for make in CONTENDERS]
    results: dict[str, list[Rates]] = {contender.name: [] for contender in contenders}
    for contender in contenders:
        contender.open()
    for number in range(rounds + 1):
        bulk: dict[str, Rates] = {}
        loaded: dict[str, list[Any]] = {}
        for contender in rotated(contenders, number):
            bulk[contender.name], models = measure_bulk(contender, documents)
            loaded[contender.name] = models[:singles]
            del models
        for name, rates in measure_singles(contenders, loaded, singles).items():
            if number:  # the first round warms up
                results[name].append(bulk[name] | rates)
        print(f"round {number} of {rounds}", file=sys.stderr)
    for contender in contenders:
        contender.close()
    return results


def report(results: dict[str, list[Rates]]) -> None:
    """Print medians, and the median ratio to plain pymongo in the same round."""
    base = results["pymongo"]
    for operation in base[0]:
        print(f"\n{operation}")
        for name, rounds in results.items():
            median = statistics.median(r[operation] for r in rounds)
            ratios = [r[operation] / b[operation] for r, b in zip(rounds, base, strict=True)]
            print(f"  {name:10} {median:12,.0f} /s   {statistics.median(ratios):5.2f} × pymongo")


def report_memory(memory: dict[str, float]) -> None:
    """Print bytes, and their ratio to plain pymongo."""
    print("\nmemory of a loaded model")
    for name, size in memory.items():
        print(f"  {name:10} {size:12,.0f} bytes {size / memory['pymongo']:5.2f} × pymongo")


def memory_of_models(uri: str) -> dict[str, float]:
    """Return the bytes per loaded model; each contender is measured in a separate process."""
    sizes: dict[str, float] = {}
    for make in CONTENDERS:
        command = [sys.executable, "-m", f"{__package__}.memory", uri, make(uri).name]
        output = subprocess.run(command, capture_output=True, text=True, check=True)
        sizes[make(uri).name] = float(json.loads(output.stdout)["bytes"])
    return sizes


def main() -> None:
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--singles", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=10)
    add_json_option(parser)
    arguments = parser.parse_args()
    lease = start_embedded(temporary=True)
    try:
        results = run(lease.uri, arguments.documents, arguments.rounds, arguments.singles)
        report(results)
        memory = memory_of_models(lease.uri)
        report_memory(memory)
        write_json(arguments.json, "odm", {"rates": results, "memory": memory})
    finally:
        lease.release()


if __name__ == "__main__":
    main()
