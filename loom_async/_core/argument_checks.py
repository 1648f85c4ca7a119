"""Arguments that are one word of a few."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from .errors import QueryError


def check_choice(name: str, given: object, choices: Sequence[str]) -> None:
    """Refuse what is none of the choices.

    Raises:
        QueryError: It is not.
    """
    if given in choices:
        return
    near = difflib.get_close_matches(str(given), choices, 1)
    allowed = ", ".join(f'"{choice}"' for choice in choices)
    raise QueryError(
        f"{name} is {given!r}, which is none of {allowed}",
        hint=f'did you mean "{near[0]}"?' if near else f"choose one of {allowed}",
    )
