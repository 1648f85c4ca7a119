# Generated from loom_async/frames/prepared_chunks.py by `nox -s sync`: edit that file.
"""A frame's chunks on their way: the next one is made ready while one is sent."""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from loom_async._core.clock import now
from loom_async._core.settings import settings

from .. import _concurrency

if TYPE_CHECKING:
    from loom_async._core.frames.chunks import Chunk

T = TypeVar("T")


def prepared(frame: Any, prepare: Callable[[Chunk, datetime], T]) -> Generator[T, None, None]:
    """Yield what is made of each chunk of a frame, in a worker thread.

    Parameters:
        frame: The frame.
        prepare: Makes it, of a chunk and the moment at which the whole frame began.
    """
    # numpy, pandas and the like are optional, and imported when there is a frame.
    from loom_async._core.frames.chunks import chunks_of

    moment, workers = now(), settings().arrow_workers
    chunks = chunks_of(frame)
    while True:
        chunk = _concurrency.in_worker(workers, next, chunks, None)
        if chunk is None:
            return
        yield _concurrency.in_worker(workers, prepare, chunk, moment)
