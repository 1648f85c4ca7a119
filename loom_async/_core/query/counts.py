"""Counts that a caller gives: how many to skip, to return, to sample."""

from __future__ import annotations

from typing import Any

from ..errors import QueryError


def check_count(what: str, count: Any, least: int = 0) -> None:
    """Raise `QueryError` unless the count is a whole number of at least `least`."""
    if isinstance(count, bool) or not isinstance(count, int) or count < least:
        raise QueryError(f"{what}({count!r}): a whole number of {least} or more is needed")
