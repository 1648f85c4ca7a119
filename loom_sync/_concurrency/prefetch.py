"""Items of a generator, one of which is always produced ahead."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, TypeVar

T = TypeVar("T")


@contextmanager
def prefetch(source: Generator[T, None, None]) -> Generator[Iterator[T]]:
    """Give an iterator over a generator's items, which produces the next item while one is used.

    The end of the block closes the generator.
    """
    end = object()
    context = copy_context()  # a new thread has an empty context: it would be outside all blocks

    def step() -> Any:
        return context.run(lambda: next(source, end))

    with ThreadPoolExecutor(1, "loom-prefetch") as pool:
        future: Future[Any] = pool.submit(step)

        def items() -> Iterator[T]:
            nonlocal future
            while (item := future.result()) is not end:
                future = pool.submit(step)
                yield item

        try:
            yield items()
        finally:
            wait([future])
            source.close()
