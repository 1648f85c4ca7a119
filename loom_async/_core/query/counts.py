"""Counts that a caller gives: how many to skip, to return, to sample."""

from __future__ import annotations

from typing import Any

from ..errors import QueryError


def check_count(what: str, count: Any) -> None:
    """Raise `QueryError` unless the count is a whole number that is not negative."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise QueryError(f"{what}({count!r}): a whole number of 0 or more is needed")
