"""Many tasks at once: throughput and latency against plain pymongo, and memory over minutes.

Run it by `nox -s bench_load -- --rounds 15 --minutes 5`. 1, 8, 80 and 800 tasks get
documents by id, or change one field of an object and store it. Both libraries do the same in the
same run, in alternating turns; medians, their ratios and the latencies of all turns are printed.
pymongo stores in two ways: by `update_one`, and with the document as the reply, as Loom has it.
Then 80 tasks of Loom get and store for minutes, and the growth of the process is printed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
from pymongo import ReturnDocument

from loom_async.embedded_server import start_embedded
from tests.bench.contenders import Contender, Loom, Plain, make_rows

TASKS = (1, 8, 80, 800)
_DOCUMENTS = 2_000
# Steps of a turn, under a second for either library: the machine's ups and downs meet both alike.
_STEPS = 1_600
_SECONDS_BETWEEN_SAMPLES = 1.0

Step = Callable[[Contender, Any], Awaitable[Any]]


async def get(contender: Contender, item: Any) -> None:
    """Load one object."""
    await contender.get(item.id)


async def persist(contender: Contender, item: Any) -> None:
    """Change one field and store it."""
    item.age += 1
    await contender.save_age(item)


async def get_and_persist(contender: Contender, item: Any) -> None:
    """Load, change and store."""
    await persist(contender, await contender.get(item.id))


class Returning(Plain):
    """pymongo, which has the server reply with the document as it is after the update."""

    name = "whole"

    async def save_age(self, item: Any) -> None:
        await self.collection.find_one_and_update(
            {"_id": item.id},
            {"$set": {"age": item.age}},
            return_document=ReturnDocument.AFTER,
        )


STEPS: dict[str, Step] = {"get": get, "persist": persist}


@dataclass
class Load:
    """What tasks did in a turn: operations a second, and the seconds of each."""

    rate: float
    latencies: list[float]


async def load(contender: Contender, items: Sequence[Any], step: Step, tasks: int) -> Load:
    """Run the steps of a turn in a number of tasks, each of which has objects of its own."""
    latencies: list[float] = []
    start = time.perf_counter()

    async def work(mine: Sequence[Any]) -> None:
        now = time.perf_counter()
        for item in itertools.islice(itertools.cycle(mine), _STEPS // tasks):
            await step(contender, item)
            before, now = now, time.perf_counter()
            latencies.append(now - before)

    await asyncio.gather(*(work(items[number::tasks]) for number in range(tasks)))
    return Load(len(latencies) / (time.perf_counter() - start), latencies)


@dataclass
class Result:
    """Medians of the rounds of one load, and latencies over all of them, in milliseconds."""

    step: str
    tasks: int
    name: str
    rate: float
    ratio: float
    p50: float
    p99: float


def summary(step: str, tasks: int, turns: dict[str, list[Load]]) -> list[Result]:
    """Return a result for each library."""
    base = turns[Plain.name]
    results: list[Result] = []
    for name, loads in turns.items():
        ratios = [one.rate / other.rate for one, other in zip(loads, base, strict=True)]
        every = statistics.quantiles((t for one in loads for t in one.latencies), n=100)
        rate = statistics.median(one.rate for one in loads)
        results.append(
            Result(
                step, tasks, name, rate, statistics.median(ratios), every[49] * 1e3, every[98] * 1e3
            )
        )
    return results


async def compare(
    contenders: Sequence[Contender], items: dict[str, list[Any]], rounds: int
) -> list[Result]:
    """Return the results of every load, printed as they come."""
    results: list[Result] = []
    for (name, step), tasks in itertools.product(STEPS.items(), TASKS):
        taking = [c for c in contenders if step is persist or not isinstance(c, Returning)]
        turns: dict[str, list[Load]] = {contender.name: [] for contender in taking}
        for number in range(rounds + 1):
            for contender in taking if number % 2 else reversed(taking):
                gc.collect()
                done = await load(contender, items[contender.name], step, tasks)
                if number:  # the first round warms up
                    turns[contender.name].append(done)
        results += summary(name, tasks, turns)
        for one in results[-len(taking) :]:
            print(
                f"{one.step:8} {one.tasks:4} tasks  {one.name:8} {one.rate:8,.0f} /s "
                f"{one.ratio:5.2f} × pymongo   p50 {one.p50:7.2f} ms   p99 {one.p99:7.2f} ms",
                flush=True,
            )
    return results


async def memory(contender: Contender, items: Sequence[Any], minutes: float) -> list[float]:
    """Return the megabytes of this process, sampled while 80 tasks get and store."""
    process = psutil.Process()
    samples: list[float] = []

    async def sample() -> None:
        while True:
            samples.append(process.memory_info().rss / 2**20)
            await asyncio.sleep(_SECONDS_BETWEEN_SAMPLES)

    sampler = asyncio.create_task(sample())
    end = time.monotonic() + minutes * 60
    while time.monotonic() < end:
        await load(contender, items, get_and_persist, 80)
    sampler.cancel()
    await asyncio.gather(sampler, return_exceptions=True)
    return samples


def report_memory(samples: Sequence[float]) -> dict[str, float]:
    """Print and return what became of the process after a first fifth, which warms up."""
    rest = samples[len(samples) // 5 :]
    slope = statistics.linear_regression(range(len(rest)), rest).slope
    report = {
        "megabytes": statistics.median(rest),
        "largest": max(rest),
        "smallest": min(rest),
        "megabytes a minute": slope * 60 / _SECONDS_BETWEEN_SAMPLES,
    }
    print("memory", ", ".join(f"{name} {value:.2f}" for name, value in report.items()))
    return report


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    lease = await start_embedded(temporary=True)
    contenders = [Plain(lease.uri), Returning(lease.uri), Loom(lease.uri)]
    items: dict[str, list[Any]] = {}
    try:
        for contender in contenders:
            await contender.open()
            items[contender.name] = contender.build(make_rows(_DOCUMENTS))
            await contender.insert_many(items[contender.name])
        results = await compare(contenders, items, arguments.rounds)
        grown: dict[str, float] = {}
        if arguments.minutes:
            grown = report_memory(await memory(contenders[-1], items["loom"], arguments.minutes))
        if arguments.json:
            text = json.dumps({"loads": [asdict(one) for one in results], "memory": grown})
            arguments.json.write_text(text, encoding="utf-8")
    finally:
        for contender in reversed(contenders):
            await contender.close()
        lease.release()


if __name__ == "__main__":
    print(f"Python {sys.version.split()[0]}", flush=True)
    asyncio.run(main())
