"""Never batches calls: threads have no event loop to share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from loom_async._core.unbatched import Unbatched

R = TypeVar("R")
T = TypeVar("T")


class BatchedCalls(Generic[T, R]):
    """Calls of one kind, each made by itself.

    Parameters:
        single: Makes the call for one item.
        batch: Unused, as all that follow.
        can_batch: Unused.
        max_single: Unused.
        min_batch: Unused.
    """

    def __init__(
        self,
        single: Callable[[T], R],
        batch: Callable[[Sequence[T]], Sequence[R | Unbatched | Exception]],
        can_batch: Callable[[T], bool],
        *,
        max_single: int,
        min_batch: int,
    ) -> None:
        self._single = single

    def __call__(self, item: T) -> R:
        """Make the call for an item."""
        return self._single(item)
