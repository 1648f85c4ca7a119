"""Does something after other work: a thread that waits for the server does nothing else."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

R = TypeVar("R")


def run_beside(work: R, other: Generator[object]) -> R:
    """Return the result of work, which is done by now, after advancing a generator to its end."""
    for _ in other:
        pass
    return work
