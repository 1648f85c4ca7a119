"""Times Loom and plain pymongo in alternating rounds, and reports the medians of their ratios."""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import loom_async as lm

Work = Callable[[], Awaitable[Any]]


@dataclass
class Times:
    """Seconds of each round: those that have passed, and those of this process's CPU time.

    The server's CPU time counts only in `wall`.
    """

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def add(self, wall: float, cpu: float) -> None:
        """Add a round."""
        self.wall.append(wall)
        self.cpu.append(cpu)


@dataclass
class Comparison:
    """An operation as plain pymongo and Loom do it, `count` times in each round."""

    name: str
    count: int
    plain: Times = field(default_factory=Times)
    loom: Times = field(default_factory=Times)

    @property
    def ratio(self) -> float:
        """How fast Loom is compared to plain pymongo: the median of the rounds' ratios."""
        return _median_ratio(self.plain.wall, self.loom.wall)

    @property
    def cpu_ratio(self) -> float:
        """The same for the CPU time of this process."""
        return _median_ratio(self.plain.cpu, self.loom.cpu)

    def as_dict(self) -> dict[str, Any]:
        """Return all times and the ratios, for JSON."""
        return asdict(self) | {"ratio": self.ratio, "cpu_ratio": self.cpu_ratio}

    def row(self) -> str:
        """Return a line of the table: microseconds for one operation, and the ratios."""
        plain, loom = (
            statistics.median(times.wall) / self.count * 1e6 for times in (self.plain, self.loom)
        )
        return (
            f"{self.name:<44} {plain:10,.1f} {loom:10,.1f} {self.ratio:8.2f} {self.cpu_ratio:8.2f}"
        )


HEADER = f"{'operation':<44} {'plain µs':>10} {'Loom µs':>10} {'ratio':>8} {'CPU':>8}"


def _median_ratio(plain: Sequence[float], loom: Sequence[float]) -> float:
    return statistics.median(a / b for a, b in zip(plain, loom, strict=True))


async def compare(
    name: str, count: int, plain: Work, loom: Work, prepare: Work, *, rounds: int
) -> Comparison:
    """Time two ways in alternating rounds, and print their medians.

    The garbage collector runs as Python sets it; it starts each round with no garbage of the
    round before.

    Parameters:
        name: The operation.
        count: How many operations a call of `plain` or `loom` performs.
        plain: Performs the operations by pymongo and pydantic.
        loom: Performs them by Loom.
        prepare: Runs before each timed part.
        rounds: How many rounds count; one more is run first, to warm up.
    """
    comparison = Comparison(name, count)
    ways = [(plain, comparison.plain), (loom, comparison.loom)]
    for number in range(rounds + 1):
        for work, times in ways if number % 2 else reversed(ways):
            await prepare()
            gc.collect()
            wall, cpu = time.perf_counter(), time.process_time()
            result = await work()
            elapsed = time.perf_counter() - wall, time.process_time() - cpu
            del result  # outside of the timed part
            if number:
                times.add(*elapsed)
    print(comparison.row(), flush=True)
    return comparison


def arguments_of(description: str | None, rounds: int, count: int) -> argparse.Namespace:
    """Return the command line's options.

    Parameters:
        description: What the benchmark does.
        rounds: The default of `--rounds`.
        count: The default of `--singles`.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--singles", type=int, default=count, help="single operations per round")
    parser.add_argument("--only", default="", help="run only operations whose names contain this")
    add_json_option(parser)
    return parser.parse_args()


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Add the option `--json`."""
    parser.add_argument("--json", type=Path, help="a folder, for a JSON file with all results")


def write_json(folder: Path | None, name: str, results: Any) -> None:
    """Write a benchmark's results, if a folder is given.

    Parameters:
        folder: The value of `--json`.
        name: The benchmark.
        results: Comparisons, or anything else that JSON can hold.
    """
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    document = {"python": sys.version.split()[0], "results": results}
    text = json.dumps(document, default=Comparison.as_dict, indent=1)
    (folder / f"{lm.__name__}_{name}.json").write_text(text, encoding="utf-8")
