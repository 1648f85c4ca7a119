"""Documents a second: Loom, plain pymongo with pydantic, and peers where installed, on one server.

Run it by `nox -s bench -- --documents 20000 --rounds 10`. Every round runs each contender once, in
turn; medians and their ratios to plain pymongo are printed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from loom_async.embedded_server import start_embedded
from tests.aio._seam import together
from tests.bench.contenders import CONTENDERS, Contender, make_rows

Result = dict[str, dict[str, float]]


async def measure(contender: Contender, documents: int, singles: int) -> dict[str, float]:
    """Return the operations a second of one contender, by name of the operation."""
    await contender.drop()
    rows = make_rows(documents)
    rates: dict[str, float] = {}

    async def rate(name: str, count: int, work: Callable[[], Awaitable[Any]]) -> Any:
        gc.collect()
        start = time.perf_counter()
        result = await work()
        rates[name] = count / (time.perf_counter() - start)
        return result

    objects = contender.build(rows[:singles])

    async def insert_singly() -> None:
        for item in objects:
            await contender.insert_one(item)

    await rate("insert one", singles, insert_singly)
    await contender.drop()
    first, rest = rows[: contender.bulk], rows[contender.bulk or documents :]
    many = contender.build(first)
    await rate("insert many", len(many), lambda: contender.insert_many(many))
    await contender.fill(rest)
    del many
    loaded = await rate("find to models", documents, contender.find_all)
    ids = [item.id for item in loaded[:singles]]

    async def get_in_turn() -> None:
        for key in ids:
            await contender.get(key)

    async def get_at_once() -> None:
        for start in range(0, len(ids), 100):
            hundred = ids[start : start + 100]
            await together(*(partial(contender.get, key) for key in hundred))

    await rate("get by id", singles, get_in_turn)
    await rate("get by id, 100 at once", singles, get_at_once)
    changed = loaded[:singles]

    async def change_and_persist() -> None:
        for item in changed:
            item.age += 1
            await contender.save_age(item)

    await rate("change and persist", singles, change_and_persist)
    return rates


async def run(uri: str, documents: int, rounds: int, singles: int) -> dict[str, list[Any]]:
    """Return the rates of every round, by contender."""
    contenders = [make(uri) for make in CONTENDERS]
    results: dict[str, list[Any]] = {contender.name: [] for contender in contenders}
    for contender in contenders:
        await contender.open()
    for number in range(rounds + 1):
        turn = number % len(contenders)  # whoever comes after heavy writes pays for them
        for contender in contenders[turn:] + contenders[:turn]:
            rates = await measure(contender, documents, singles)
            if number:  # the first round warms up
                results[contender.name].append(rates)
        print(f"round {number} of {rounds}", file=sys.stderr)
    for contender in contenders:
        await contender.close()
    return results


def report(results: dict[str, list[dict[str, float]]]) -> None:
    """Print medians, and the median of each round's ratio to plain pymongo."""
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
    """Return bytes of memory per loaded model, each contender measured in a process of its own."""
    sizes: dict[str, float] = {}
    for make in CONTENDERS:
        command = [sys.executable, "-m", f"{__package__}.memory", uri, make(uri).name]
        output = subprocess.run(command, capture_output=True, text=True, check=True)
        sizes[make(uri).name] = float(json.loads(output.stdout)["bytes"])
    return sizes


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--singles", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    lease = await start_embedded(temporary=True)
    try:
        results = await run(lease.uri, arguments.documents, arguments.rounds, arguments.singles)
        report(results)
        report_memory(memory_of_models(lease.uri))
    finally:
        lease.release()


if __name__ == "__main__":
    asyncio.run(main())
