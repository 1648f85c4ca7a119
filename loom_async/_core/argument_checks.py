"""Checks of arguments: one of a few choices, or a count."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from .errors import QueryError


def check_choice(name: str, given: object, choices: Sequence[str]) -> None:
    """Raise `QueryError` unless the argument `name` is one of the choices."""
    if given in choices:
        return
    near = difflib.get_close_matches(str(given), choices, 1)
    allowed = ", ".join(f'"{choice}"' for choice in choices)
    raise QueryError(
        f"{name} is {given!r}, which is none of {allowed}",
        hint=f'did you mean "{near[0]}"?' if near else f"choose one of {allowed}",
    )


def check_count(name: str, count: object, least: int = 0) -> None:
    """Raise `QueryError` unless the argument of `name` is a whole number of at least `least`."""
    if isinstance(count, bool) or not isinstance(count, int) or count < least:
        raise QueryError(f"{name}({count!r}): a whole number of {least} or more is needed")
