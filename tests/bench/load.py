"""Concurrent tasks: throughput and latency compared to plain pymongo, and memory over minutes.

Run it by `nox -s bench_load -- --rounds 15 --minutes 5`. 1, 8, 80 and 800 tasks load documents by
id (`get`), or change one field of their own objects and store it (`persist`). In `hot10` and
`hot100`, 80 and 800 tasks load, change and store the same 10 or 100 documents. The libraries run
alternately on the same server. Medians, their ratios, the latencies of all rounds and the numbers
of errors are printed. pymongo stores in two ways: by `update_one`, and by `find_one_and_update`,
which returns the document as Loom does.
Then 80 tasks of Loom load and store for minutes, and the growth of the process is printed.
`--only hot --rounds 3 --minutes 0` runs only the workloads whose names begin with `hot`.
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
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from pymongo import ReturnDocument

from loom_async.connection.embedded_server import start_embedded
from tests.bench.contenders import Contender, Loom, Plain, make_rows

_DOCUMENTS = 2_000
# Steps of one load, which takes less than a second, so that a busy machine slows all libraries
# equally.
_STEPS = 1_600
_SECONDS_BETWEEN_SAMPLES = 1.0

Step = Callable[[Contender, Any], Awaitable[Any]]


async def get(contender: Contender, item: Any) -> None:
    """Load one object by id."""
    await contender.get(item.id)


async def persist(contender: Contender, item: Any) -> None:
    """Change one field of an object and store it."""
    item.age += 1
    await contender.save_age(item)


_ages = itertools.count(1_000)


async def get_and_persist(contender: Contender, item: Any) -> None:
    """Load an object, set a field to a unique value, and store it."""
    loaded = await contender.get(item.id)
    loaded.age = next(_ages)
    await contender.save_age(loaded)


class FindOneAndUpdate(Plain):
    """pymongo with updates that return the updated document."""

    name = "whole"

    async def save_age(self, item: Any) -> None:
        await self.collection.find_one_and_update(
            {"_id": item.id},
            {"$set": {"age": item.age}},
            return_document=ReturnDocument.AFTER,
        )


class Workload(NamedTuple):
    """A step, the number of tasks that run it, and the number of documents they use.

    The tasks share the documents if there are few; otherwise each task has its own.
    """

    name: str
    step: Step
    tasks: int
    documents: int = _DOCUMENTS

    @property
    def is_contended(self) -> bool:
        """True if the tasks share their documents."""
        return self.documents < _DOCUMENTS

    def own_items(self, items: Sequence[Any], number: int) -> Sequence[Any]:
        """Return the objects of one task."""
        if not self.is_contended:
            return items[number :: self.tasks]
        start = number % self.documents
        return [*items[start : self.documents], *items[:start]]


WORKLOADS = [
    *(Workload("get", get, tasks) for tasks in (1, 8, 80, 800)),
    *(Workload("persist", persist, tasks) for tasks in (1, 8, 80, 800)),
    *(Workload("hot10", get_and_persist, tasks, 10) for tasks in (80, 800)),
    *(Workload("hot100", get_and_persist, tasks, 100) for tasks in (80, 800)),
]
_MEMORY = Workload("memory", get_and_persist, 80)


@dataclass
class Load:
    """The result of one run: operations per second, the seconds of each, and errors."""

    rate: float
    latencies: list[float]
    errors: Counter[str]


async def load(contender: Contender, items: Sequence[Any], workload: Workload) -> Load:
    """Run the steps of a workload in its tasks."""
    latencies: list[float] = []
    errors: Counter[str] = Counter()
    start = time.perf_counter()

    async def work(own_items: Sequence[Any]) -> None:
        now = time.perf_counter()
        for item in itertools.islice(itertools.cycle(own_items), _STEPS // workload.tasks):
            try:
                await workload.step(contender, item)
            except Exception as error:  # counted, since a benchmark does not test
                errors[type(error).__name__] += 1
            before, now = now, time.perf_counter()
            latencies.append(now - before)

    await asyncio.gather(*(work(workload.own_items(items, n)) for n in range(workload.tasks)))
    return Load(len(latencies) / (time.perf_counter() - start), latencies, errors)


@dataclass
class Result:
    """Medians of the rounds of a workload, and latencies of all rounds in milliseconds."""

    step: str
    tasks: int
    name: str
    rate: float
    ratio: float
    p50: float
    p99: float
    errors: dict[str, int]


def summary(workload: Workload, loads_by_name: dict[str, list[Load]]) -> list[Result]:
    """Return a result for each library."""
    base = loads_by_name[Plain.name]
    results: list[Result] = []
    for name, loads in loads_by_name.items():
        ratios = [one.rate / other.rate for one, other in zip(loads, base, strict=True)]
        quantiles = statistics.quantiles((t for one in loads for t in one.latencies), n=100)
        rate = statistics.median(one.rate for one in loads)
        errors = sum((one.errors for one in loads), Counter[str]())
        results.append(
            Result(
                workload.name,
                workload.tasks,
                name,
                rate,
                statistics.median(ratios),
                quantiles[49] * 1e3,
                quantiles[98] * 1e3,
                dict(errors),
            )
        )
    return results


async def compare(
    contenders: Sequence[Contender],
    items: dict[str, list[Any]],
    workloads: Sequence[Workload],
    rounds: int,
) -> list[Result]:
    """Return the results of all workloads; print each one as soon as it is known."""
    results: list[Result] = []
    for workload in workloads:
        participants = [c for c in contenders if takes_part(c, workload)]
        loads_by_name: dict[str, list[Load]] = {contender.name: [] for contender in participants}
        for number in range(rounds + 1):
            for contender in participants if number % 2 else reversed(participants):
                gc.collect()
                result = await load(contender, items[contender.name], workload)
                if number:  # the first round warms up
                    loads_by_name[contender.name].append(result)
        results += summary(workload, loads_by_name)
        for one in results[-len(participants) :]:
            print(
                f"{one.step:8} {one.tasks:4} tasks  {one.name:8} {one.rate:8,.0f} /s "
                f"{one.ratio:5.2f} × pymongo   p50 {one.p50:7.2f} ms   p99 {one.p99:7.2f} ms   "
                f"errors {one.errors or 0}",
                flush=True,
            )
    return results


def takes_part(contender: Contender, workload: Workload) -> bool:
    """Return whether a contender takes part: FindOneAndUpdate differs only in `persist`."""
    return workload.step is persist or not isinstance(contender, FindOneAndUpdate)


async def memory(contender: Contender, items: Sequence[Any], minutes: float) -> list[float]:
    """Return samples of this process's memory in megabytes while 80 tasks load and store."""
    process = psutil.Process()
    samples: list[float] = []

    async def sample() -> None:
        while True:
            samples.append(process.memory_info().rss / 2**20)
            await asyncio.sleep(_SECONDS_BETWEEN_SAMPLES)

    sampler = asyncio.create_task(sample())
    end = time.monotonic() + minutes * 60
    while time.monotonic() < end:
        await load(contender, items, _MEMORY)
    sampler.cancel()
    await asyncio.gather(sampler, return_exceptions=True)
    return samples


def report_memory(samples: Sequence[float]) -> dict[str, float]:
    """Print and return the memory of the process, without the first fifth, which warms up."""
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
    """Run the benchmark and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--only", default="", help="run only workloads whose names begin with this")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    lease = await start_embedded(temporary=True)
    contenders = [Plain(lease.uri), FindOneAndUpdate(lease.uri), Loom(lease.uri)]
    items: dict[str, list[Any]] = {}
    try:
        for contender in contenders:
            await contender.open()
            items[contender.name] = contender.build(make_rows(_DOCUMENTS))
            await contender.insert_many(items[contender.name])
        workloads = [one for one in WORKLOADS if one.name.startswith(arguments.only)]
        results = await compare(contenders, items, workloads, arguments.rounds)
        growth: dict[str, float] = {}
        if arguments.minutes:
            growth = report_memory(await memory(contenders[-1], items["loom"], arguments.minutes))
        if arguments.json:
            text = json.dumps({"loads": [asdict(one) for one in results], "memory": growth})
            arguments.json.write_text(text, encoding="utf-8")
    finally:
        for contender in reversed(contenders):
            await contender.close()
        lease.release()


if __name__ == "__main__":
    print(f"Python {sys.version.split()[0]}", flush=True)
    asyncio.run(main())
