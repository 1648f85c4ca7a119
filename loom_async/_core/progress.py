"""A progress bar, when one is asked for."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from .optional_libraries import library
from .settings import settings


@contextmanager
def progress(
    wanted: bool | None, what: str, total: int | None = None
) -> Generator[Callable[[int], object]]:
    """Show how far something has come, and give what advances it.

    Parameters:
        wanted: Whether to show it; None as the settings say.
        what: What is under way.
        total: How many there are, if that is known.
    """
    if not (settings().progress if wanted is None else wanted):
        yield lambda count: None
        return
    with library("tqdm").tqdm(total=total, desc=what, unit=" rows", unit_scale=True) as bar:
        yield bar.update
