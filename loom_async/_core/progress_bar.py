"""The progress bar of loads, inserts and updates of frames."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from .optional_libraries import library
from .settings import settings


@contextmanager
def progress_bar(
    is_shown: bool | None, label: str, rows: int | None = None
) -> Generator[Callable[[int], object]]:
    """Show a progress bar during the block, which gets a function that advances it by some rows.

    Parameters:
        is_shown: Whether to show it; None follows the setting `progress`.
        label: The text before the bar.
        rows: The rows in all; None if unknown.
    """
    if not (settings().progress if is_shown is None else is_shown):
        yield lambda count: None
        return
    with library("tqdm").tqdm(total=rows, desc=label, unit=" rows", unit_scale=True) as bar:
        yield bar.update
