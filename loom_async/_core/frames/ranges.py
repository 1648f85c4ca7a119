"""Rows that follow one another, as ranges."""

from __future__ import annotations

from collections.abc import Iterable


def ranges_of(rows: Iterable[int], before: Iterable[range] = ()) -> list[range]:
    """Return rising places of rows as ranges, after those before.

    Example:
        >>> ranges_of([2, 3, 6], [range(2)])
        [range(0, 4), range(6, 7)]
    """
    found = list(before)
    for row in rows:
        if found and found[-1].stop == row:
            found[-1] = range(found[-1].start, row + 1)
        else:
            found.append(range(row, row + 1))
    return found
