# Generated from loom_async/frames/pipeline.py by `nox -s sync`: edit that file, not this one.
"""A frame's chunks on their way: the next one is made ready while one is sent."""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from loom_async._core.model.markers import now
from loom_async._core.settings import settings

from .. import _seam

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
        chunk = _seam.in_worker(workers, next, chunks, None)
        if chunk is None:
            return
        yield _seam.in_worker(workers, prepare, chunk, moment)
