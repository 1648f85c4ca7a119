"""Work that is finished although its caller is cancelled: a thread cannot be cancelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeAlias, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

#: Tells the server to end a call; returns False if the server could not be told.
EndCall: TypeAlias = Callable[[], bool]


def shielded(function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
    """Call a function."""
    function(*args, **kwargs)


def await_reply(result: R, end: EndCall) -> R:
    """Return the result of a call of the driver."""
    return result
