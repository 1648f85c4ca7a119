"""`-fld["age"]`: a field in descending order, as a sort key."""

from __future__ import annotations

from typing import Any, NoReturn

from ..errors import QueryError


class Descending:
    """A sort key: a field from large to small.

    Parameters:
        path: The dotted name.
    """

    __slots__ = ("path",)

    path: str

    def __init__(self, path: str) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"-fld[{self.path!r}]"

    def __hash__(self) -> int:
        return hash((Descending, self.path))

    def _refuse(self, *_: Any) -> NoReturn:
        raise QueryError(
            f"{self!r} is a sort key, not a value",
            hint="use it in sort(); lm.raw({'$expr': …}) computes in a condition",
        )

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __and__ = __rand__ = __or__ = __ror__ = __invert__ = __neg__ = __bool__ = _refuse
