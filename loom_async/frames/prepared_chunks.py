"""A frame's chunks on their way: the next one is made ready while one is sent."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from .. import _concurrency
from .._core.clock import now
from .._core.settings import settings

if TYPE_CHECKING:
    from .._core.frames.chunks import Chunk

T = TypeVar("T")


async def prepared(frame: Any, prepare: Callable[[Chunk, datetime], T]) -> AsyncGenerator[T, None]:
    """Yield what is made of each chunk of a frame, in a worker thread.

    Parameters:
        frame: The frame.
        prepare: Makes it, of a chunk and the moment at which the whole frame began.
    """
    # numpy, pandas and the like are optional, and imported when there is a frame.
    from .._core.frames.chunks import chunks_of

    moment, workers = now(), settings().arrow_workers
    chunks = chunks_of(frame)
    while True:
        chunk = await _concurrency.in_worker(workers, next, chunks, None)
        if chunk is None:
            return
        yield await _concurrency.in_worker(workers, prepare, chunk, moment)
