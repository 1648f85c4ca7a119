"""Rows that follow one another, as ranges."""

from __future__ import annotations

from collections.abc import Iterable


def ranges_of(rows: Iterable[int]) -> list[range]:
    """Return rising places of rows as ranges.

    Example:
        >>> ranges_of([0, 1, 2, 5])
        [range(0, 3), range(5, 6)]
    """
    found: list[range] = []
    for row in rows:
        if found and found[-1].stop == row:
            found[-1] = range(found[-1].start, row + 1)
        else:
            found.append(range(row, row + 1))
    return found
